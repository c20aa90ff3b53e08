"""The audit log in the console: read by those with `view_audit`, press records by those who also work on press."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from desk import audit
from desk.models import AuditRecord

ROWS_A_PAGE = 100
FILTERS = ("subject", "actor", "action", "since", "until")
COLUMNS = ("sequence", "at", "actor", "action", "subject", "press", "data", "previous", "hash")


def may_view(user: AbstractBaseUser) -> bool:
    """Tell whether somebody may read the log."""
    return user.has_perm("desk.view_audit")


def records(user: AbstractBaseUser, asked: QueryDict) -> QuerySet[AuditRecord]:
    """Return the records that a user may see and asked for, the newest first."""
    rows = AuditRecord.objects.order_by("-sequence")
    if not user.has_perm("desk.work_press"):
        rows = rows.filter(press=False)
    # The start of a subject, since texts are named "text:slug/language"; who and what as a whole.
    for name, lookup in (("subject", "subject__istartswith"), ("actor", "actor"), ("action", "action")):
        if value := asked.get(name, "").strip():
            rows = rows.filter(**{lookup: value})
    if since := _day(asked.get("since")):
        rows = rows.filter(at__gte=since)
    if until := _day(asked.get("until")):
        rows = rows.filter(at__lt=until + dt.timedelta(days=1))
    return rows


def _day(text: str | None) -> dt.datetime | None:
    """Return the first moment of a day in the city, None for what is no date."""
    try:
        return timezone.make_aware(dt.datetime.combine(dt.date.fromisoformat(text or ""), dt.time.min))
    except ValueError:
        return None


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the log, filtered; that it was looked at stands in it too."""
    if not may_view(request.user):
        raise Http404
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    audit.record("viewed", "audit", actor=request.user, filters={k: v for k, v in asked.items() if v})
    rows = records(request.user, request.GET)
    address = request.GET.copy()
    address.pop("p", None)
    context = {
        "page": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("p")),
        "asked": asked,
        "actions": AuditRecord.objects.order_by("action").values_list("action", flat=True).distinct(),
        "address": address.urlencode(),
        "sees_press": request.user.has_perm("desk.work_press"),
    }
    return render(request, "desk/audit/index.html", context)


@never_cache
@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Hand out what the same filters show as CSV, with the hashes."""
    if not may_view(request.user):
        raise Http404
    rows = records(request.user, request.GET).reverse()
    filters = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    # What is recorded by this very export is not in it: the list ends where it was asked for.
    last = rows.last()
    rows = rows.filter(sequence__lte=last.sequence if last else 0)
    audit.record("exported", "audit", actor=request.user, filters=filters, records=rows.count())
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate():%Y-%m-%d}.csv"'
    return response


class _Echo:
    """What csv.writer writes into: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: QuerySet[AuditRecord]) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    yield "\ufeff" + write(COLUMNS)  # by the mark Excel knows that it is UTF-8
    for row in rows.iterator(1000):
        yield write([_cell(getattr(row, name)) for name in COLUMNS])


def _cell(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    text = audit.canonical(value) if isinstance(value, dict) else str(value)
    # A spreadsheet would work out what begins like a formula; names of accounts are typed by people.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@hooks.register("register_admin_urls")
def audit_urls() -> list[URLPattern | URLResolver]:
    """Put the log under `audit/`; Wagtail asks for a login and the right to enter the console."""
    pages = [path("", index, name="index"), path("export/", export, name="export")]
    return [path("audit/", include((pages, "desk_audit")))]


class AuditMenuItem(MenuItem):
    """The menu item of the log."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who may read the log."""
        return may_view(request.user)


@hooks.register("register_admin_menu_item")
def audit_menu_item() -> MenuItem:
    """Put the log towards the end of the menu."""
    return AuditMenuItem(
        "Nhật ký / Audit log", reverse("desk_audit:index"), name="audit", icon_name="history", order=900
    )
