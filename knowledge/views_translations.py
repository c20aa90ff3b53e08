"""Translations in the console: how far every language is, what waits in one, and every entry's texts at a glance."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from knowledge.models import LANGUAGE_CHOICES, Category, Department, Entry, Translation
from knowledge.translating import KINDS, counts, status, waiting
from nlu.languages import SOURCE

PERMISSION = "knowledge.change_translation"
PAGE = 50
# Where a translator's language is remembered, for as long as they are logged in.
REMEMBERED = "translations_language"


def index(request: HttpRequest) -> HttpResponse:
    """Show the counts of all languages and what waits in the chosen one."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    asked = request.GET
    language = asked.get("language") or request.session.get(REMEMBERED, "")
    if language not in dict(LANGUAGE_CHOICES):
        language = "en"
    request.session[REMEMBERED] = language
    kind = asked.get("kind") if asked.get("kind") in KINDS else "missing"
    rows = narrowed(waiting(kind, language), asked.get("department", ""), "" if kind == "missing" else "entry__")
    page = Paginator(rows, PAGE).get_page(asked.get("page"))
    context = {
        "counts": counts(), "kinds": KINDS, "kind": kind, "language": language,
        "name": dict(LANGUAGE_CHOICES)[language], "page": page, "rows": [_row(each, language) for each in page],
        "departments": Department.objects.all(), "department": asked.get("department", ""),
        "more": urlencode({"language": language, "kind": kind, "department": asked.get("department", "")}),
    }  # fmt: skip
    return render(request, "knowledge/translations.html", context)


def table(request: HttpRequest) -> HttpResponse:
    """Show every entry with the state of its seven texts."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    asked = request.GET
    entries = narrowed(Entry.objects.real().filter(live=True), asked.get("department", ""), "")
    if asked.get("category") in Category.values:
        entries = entries.filter(category=asked["category"])
    page = Paginator(entries.prefetch_related("translations"), PAGE).get_page(asked.get("page"))
    rows = [
        (each, [(code, kind, _address(each, code, text)) for code, kind, text in states])
        for each, states in status(page)
    ]
    context = {
        "page": page, "rows": rows, "kinds": KINDS, "languages": LANGUAGE_CHOICES, "categories": Category.choices,
        "category": asked.get("category", ""), "departments": Department.objects.all(),
        "department": asked.get("department", ""),
        "more": urlencode({"category": asked.get("category", ""), "department": asked.get("department", "")}),
    }  # fmt: skip
    return render(request, "knowledge/translations_table.html", context)


def narrowed(rows: Any, department: str, to: str) -> Any:
    """Return the rows of one department, all of them when none is named; `to` leads from a row to its entry."""
    return rows.filter(**{f"{to}department__slug": department}) if department else rows


def _row(each: Entry | Translation, language: str) -> dict[str, Any]:
    entry, text = (each, None) if isinstance(each, Entry) else (each.entry, each)
    question = text.question if text else entry.translations.filter(language=SOURCE).values_list("question", flat=True)
    return {
        "slug": entry.slug,
        "question": question if text else next(iter(question), ""),
        "language": language if text else SOURCE,
        "url": _address(entry, language, text),
    }


def _address(entry: Entry, language: str, text: Translation | None) -> str:
    """Return the form of a text, filled in as a translation of the original where there is none yet."""
    name = Translation.snippet_viewset.get_url_name
    if text is not None:
        return reverse(name("edit"), args=[text.pk])
    query = {"entry": entry.pk, "language": language} | ({"source_language": SOURCE} if language != SOURCE else {})
    return f"{reverse(name('add'))}?{urlencode(query)}"


@hooks.register("register_admin_urls")
def translation_urls() -> list[URLPattern | URLResolver]:
    """Put the pages under `translations/`; Wagtail asks for a login and the right to enter the console."""
    pages = [path("", index, name="index"), path("table/", table, name="table")]
    return [path("translations/", include((pages, "knowledge_translations")))]


class TranslationsMenuItem(MenuItem):
    """The menu item of the pages."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who write texts."""
        return request.user.has_perm(PERMISSION)


@hooks.register("register_admin_menu_item")
def translations_menu_item() -> MenuItem:
    """Put the pages below "Try it"."""
    return TranslationsMenuItem(
        "Bản dịch / Translations", reverse("knowledge_translations:index"), name="translations", icon_name="globe",
        order=4,
    )  # fmt: skip
