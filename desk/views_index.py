"""The list of tickets: filtered, searched, counted, and kept up to date while it is open."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from desk import tickets
from desk.inbox import ALL, WAITS, Filters, counts, listed, matching
from desk.models import Kind, State
from desk.views import may_work, sees
from knowledge.models import Department

ROWS_A_PAGE = 50
STATES = [(WAITS, "Chờ trả lời / waiting"), *State.choices, (ALL, "Tất cả / all")]
HOLDERS = [("", "Mọi người / anyone"), ("me", "Của tôi / mine"), ("nobody", "Chưa ai nhận / unassigned")]
SORTS = [
    ("", "Tự động / automatic"),
    ("deadline", "Hạn gần nhất / nearest deadline"),
    ("newest", "Mới nhất / newest first"),
]


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the tickets a user may see, filtered, the most urgent first."""
    context = _context(request)
    listing = _render(request, context)
    context |= {"listing": listing, "stamp": _stamp(listing)}
    return render(request, "desk/tickets/index.html", context)


@never_cache
@require_GET
def changed(request: HttpRequest) -> JsonResponse:
    """Return the list anew when it is not what the page shows (`stamp`): an open list needs no reloading."""
    context = _context(request)
    listing = _render(request, context)
    stamp = _stamp(listing)
    answer: dict[str, Any] = {"stamp": stamp, "waiting": context["waiting"]}
    if stamp != request.GET.get("stamp"):
        answer["html"] = listing
    return JsonResponse(answer)


def _context(request: HttpRequest) -> dict[str, Any]:
    if not may_work(request.user):
        raise Http404
    user, filters = request.user, Filters.read(request.GET)
    rows = matching(user, filters)
    counted = counts(rows, user)
    offices = Department.objects.filter(pk__in=tickets.visible_to(user).order_by().values("department"))
    return {
        "tickets": Paginator(listed(rows, user, filters), ROWS_A_PAGE).get_page(request.GET.get("p")),
        "filters": filters,
        "pages": filters.address(),
        "now": timezone.now(),
        "may_release": user.has_perm("desk.release_answer"),
        "waiting": counted[WAITS],
        "states": [(value, label, counted[value], filters.address(state=value)) for value, label in STATES],
        "shortcuts": [
            ("Của tôi / mine", counted["mine"], filters.address(holder="" if filters.holder == "me" else "me"),
             filters.holder == "me"),
            ("Chưa ai nhận / unassigned", counted["nobody"],
             filters.address(holder="" if filters.holder == "nobody" else "nobody"), filters.holder == "nobody"),
            ("Quá hạn / overdue", counted["overdue"], filters.address(overdue="" if filters.overdue else "1"),
             filters.overdue),
        ],
        "kinds": [(value, label) for value, label in Kind.choices if sees(user, value)],
        "holders": HOLDERS,
        "sorts": SORTS,
        "offices": offices,
    }  # fmt: skip


def _render(request: HttpRequest, context: dict[str, Any]) -> str:
    return render_to_string("desk/tickets/_list.html", context, request)


def _stamp(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[:16]
