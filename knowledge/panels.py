"""Panels of the knowledge base in the staff console."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from wagtail.admin.panels import Panel
from wagtail.permissions import policy_registry

from knowledge.models import LANGUAGE_CHOICES, Entry, Translation
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
