"""Panels of the knowledge base in the staff console."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.panels import Panel
from wagtail.admin.ui.components import Component
from wagtail.permissions import policy_registry

from knowledge import starter
from knowledge.models import LANGUAGE_CHOICES, Entry, Sensitivity, Translation
from nlu.languages import SOURCE


def translation_rows(entry: Entry, *, may_add: bool, may_change: bool) -> list[dict[str, Any]]:
    """Return a row for every language: its translation, whether it is old, where to edit or add it."""
    there = {each.language: each for each in Translation.objects.filter(entry=entry)}
    rows = []
    for code, name in LANGUAGE_CHOICES:
        each = there.get(code)
        url = None
        if each and may_change:
            url = reverse(Translation.snippet_viewset.get_url_name("edit"), args=[each.pk])
        elif not each and may_add:
            query = {"entry": entry.pk, "language": code}
            if code != SOURCE and SOURCE in there:
                query["source_language"] = SOURCE
            url = f"{reverse(Translation.snippet_viewset.get_url_name('add'))}?{urlencode(query)}"
        rows.append(
            {
                "code": code,
                "name": name,
                "translation": each,
                "url": url,
                "out_of_date": bool(each and each.out_of_date(there.values())),
            }
        )
    return rows


class TranslationsPanel(Panel):
    """The translations of an entry, with links to edit them and to add the missing ones."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "knowledge/panels/translations.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return the rows that the user may act on."""
            context = super().get_context_data(parent_context)
            policy, user = policy_registry.get_by_type(Translation), self.request.user
            if self.instance.pk:
                context["rows"] = translation_rows(
                    self.instance,
                    may_add=policy.user_has_permission(user, "add"),
                    may_change=policy.user_has_permission(user, "change"),
                )
            return context


SHOWN_AT_HOME = 5


def out_of_date() -> QuerySet[Translation]:
    """Return the translations whose original had a major edit since: `Translation.out_of_date` for a whole table."""
    newer = Translation.objects.filter(
        entry=OuterRef("entry"), language=OuterRef("source_language"), major_version__gt=OuterRef("source_version")
    )
    rows = Translation.objects.exclude(entry__sensitivity=Sensitivity.PRACTICE)
    return rows.filter(Exists(newer)).order_by("-updated_at")


class KnowledgeHome(Component):
    """What waits for an editor, on the console's first page: drafts, old translations, entries to check again."""

    name = "knowledge_home"
    template_name = "knowledge/home_panel.html"
    order = 20

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        """Return the first of each kind and how many there are."""
        real = Entry.objects.real()
        drafts = Translation.objects.filter(has_unpublished_changes=True, entry__in=real).order_by("-updated_at")
        due = real.filter(live=True, review_by__lt=timezone.localdate()).order_by(F("review_by"))
        kinds = (
            ("Bản nháp chưa xuất bản / Drafts not published", drafts),
            ("Bản dịch đã cũ / Translations out of date", out_of_date()),
            ("Mục quá hạn kiểm tra / Entries due for review", due),
        )
        return {
            "starter": starter.waiting().count(),
            "starter_url": f"{reverse(Entry.snippet_viewset.get_url_name('list'))}?starter={starter.WAITING}",
            "kinds": [(heading, rows.count(), _links(rows[:SHOWN_AT_HOME])) for heading, rows in kinds],
            "entries": reverse(Entry.snippet_viewset.get_url_name("list")),
            "texts": reverse(Translation.snippet_viewset.get_url_name("list")),
        }


def _links(rows: QuerySet[Any]) -> list[tuple[str, str]]:
    return [(reverse(row.snippet_viewset.get_url_name("edit"), args=[row.pk]), str(row)) for row in rows]
