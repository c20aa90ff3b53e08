"""The page "Quality" of the console: what is to be looked at in what readers see, by kind, most pressing first."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from desk.quality import Report, make
from knowledge.models import LANGUAGE_CHOICES, Entry, Translation
from knowledge.quality.findings import RULES, Finding

PERMISSION = "knowledge.change_translation"
# Of a kind, on the page at first; the rest is a click away.
SHOWN = 50


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the last report; `?rule=KEY` shows all findings of one kind, `?department=SLUG` one office's."""
    _allowed(request)
    report = Report.read(settings.QUALITY_REPORT)
    offices = dict(Entry.objects.order_by("department__slug").values_list("slug", "department__slug"))
    context: dict[str, Any] = {"report": report, "departments": sorted(set(offices.values()))}
    if report:
        rule, office = request.GET.get("rule", ""), request.GET.get("department", "")
        kinds: dict[str, list[Finding]] = defaultdict(list)
        for finding in report.findings:
            # An entry may have gone since.
            if finding.slug in offices and finding.rule in RULES and office in ("", offices[finding.slug]):
                kinds[finding.rule].append(finding)
        shown = [key for key in RULES if key in kinds and rule in ("", key)]
        context |= {
            "kinds": [
                (key, RULES[key], len(kinds[key]), _rows(kinds[key] if rule else kinds[key][:SHOWN])) for key in shown
            ],
            "rule": rule, "department": office,
            "counts": [(key, RULES[key], len(kinds[key])) for key in RULES if key in kinds],
        }  # fmt: skip
    return render(request, "desk/quality.html", context)


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Make the report anew and show it."""
    _allowed(request)
    make(timezone.now(), settings.INDEX_DIR).write(settings.QUALITY_REPORT)
    request.method = "GET"
    return index(request)


def _rows(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return what the page shows of findings, with where to mend them."""
    slugs = {each.slug for each in findings}
    entries = dict(Entry.objects.filter(slug__in=slugs).values_list("slug", "pk"))
    texts = {
        (slug, language): pk
        for slug, language, pk in Translation.objects.filter(entry__slug__in=slugs).values_list(
            "entry__slug", "language", "pk"
        )
    }
    names = dict(LANGUAGE_CHOICES)
    return [
        {
            "slug": each.slug, "language": names.get(each.language, ""), "detail": each.detail,
            "url": _edit(Translation, texts[each.slug, each.language])
            if (each.slug, each.language) in texts
            else _edit(Entry, entries[each.slug]),
        }
        for each in findings
        if each.slug in entries
    ]  # fmt: skip


def _edit(model: Any, pk: int) -> str:
    return reverse(model.snippet_viewset.get_url_name("edit"), args=[pk])


@hooks.register("register_admin_urls")
def addresses() -> list[URLPattern | URLResolver]:
    """Put the page under the console."""
    own = [path("", index, name="index"), path("again/", again, name="again")]
    return [path("quality/", include((own, "desk_quality")))]


class QualityMenuItem(MenuItem):
    """The menu item of the page."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who edit texts."""
        return bool(request.user.has_perm(PERMISSION))


@hooks.register("register_admin_menu_item")
def quality_menu_item() -> MenuItem:
    """Put the page in the menu."""
    return QualityMenuItem(
        "Chất lượng / Quality", reverse("desk_quality:index"), name="quality", icon_name="clipboard-list", order=4
    )
