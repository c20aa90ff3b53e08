"""Erases what conversations left behind once `RETENTION_DAYS` are over, as the privacy text promises.

What belongs to a ticket stays with its file: its messages and the turn that opened it. Nothing unfinished is touched:
updates still to be worked off and messages not yet delivered. A conversation itself, which holds no words, stays: it
is the key to Rasa's own record of the dialogue.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from bot.models import Delivery, Message, Turn, Update, UpdateState
from desk.models import TicketEvent

# SQLite has one writer: a short transaction each, so that no message waits for the tidying up.
BATCH = 500
_UNFINISHED = (Delivery.QUEUED, Delivery.SENDING)


@dataclasses.dataclass(frozen=True)
class Report:
    """What is due, or was erased: rows per kind of data; `days` 0 means that retention is turned off."""

    days: int
    dry_run: bool
    rows: dict[str, int]


def due(now: dt.datetime, days: int) -> dict[str, QuerySet]:
    """Return the rows older than `days` at `now`, by kind, in the order in which they are to be erased."""
    before = now - dt.timedelta(days=days)
    on_file = TicketEvent.objects.filter(message__isnull=False).values("message")
    return {
        "messages": Message.objects.filter(created_at__lt=before, ticket=None)
        .exclude(state__in=_UNFINISHED)
        .exclude(pk__in=on_file),
        "turns": Turn.objects.filter(created_at__lt=before, ticket=""),
        "updates": Update.objects.filter(received_at__lt=before).exclude(state=UpdateState.RECEIVED),
    }


def run(*, dry_run: bool = False, now: dt.datetime | None = None) -> Report:
    """Erase what is due, or only count it; safe to break off and to repeat."""
    days = max(settings.RETENTION_DAYS, 0)
    rows: dict[str, int] = {}
    for kind, found in due(now or timezone.now(), days).items() if days else ():
        rows[kind] = found.count() if dry_run else _erase(found)
    return Report(days, dry_run, rows)


def _erase(found: QuerySet) -> int:
    erased = 0
    while keys := list(found.values_list("pk", flat=True)[:BATCH]):
        # `found` again: a row that came into use since it was listed stays.
        found.model.objects.filter(pk__in=found.filter(pk__in=keys).values("pk")).delete()
        erased += len(keys)
    return erased
