"""Erases what people left behind once its time is over, as the privacy text promises; each kind of data has its own.

What belongs to a ticket stays with its file, until the ticket has been closed for `RETENTION_TICKETS_DAYS`. Nothing
unfinished is touched: updates still to be worked off, messages not yet delivered, tickets being worked on. Receipts
hold nothing about anybody and stay, the audit log is never shortened (docs/privacy.md).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from bot import trackers
from bot.models import Button, Conversation, Delivery, Message, Turn, Update, UpdateState
from desk import files
from desk.erasure import REPEATS, erasable, erase_ticket
from desk.models import Ticket, TicketEvent, TicketFile
from desk.notices import REPLY

logger = logging.getLogger(__name__)
# SQLite has one writer: a short transaction each, so that no message waits for the tidying up.
BATCH = 500
# Buttons stay pressable for a month; after that their question is asked again in words. "Reply to the staff" stays as
# long as the answer above it may be read.
BUTTON_DAYS = 30
# Bytes without a row are a crash's; ones this young may be on their way to theirs.
STRAY_DAYS = 1
_UNFINISHED = (Delivery.QUEUED, Delivery.SENDING)


@dataclasses.dataclass(frozen=True)
class Row:
    """One kind of data: after how many days it goes, and how much is due or was erased."""

    kind: str
    days: int
    rows: int
    oldest: dt.datetime | None


@dataclasses.dataclass(frozen=True)
class Report:
    """What is due, or was erased."""

    dry_run: bool
    kinds: list[Row]

    @property
    def rows(self) -> dict[str, int]:
        """Return the rows of each kind."""
        return {each.kind: each.rows for each in self.kinds}


@dataclasses.dataclass(frozen=True)
class _Due:
    count: int
    oldest: dt.datetime | None
    erase: Callable[[], int]


def run(*, dry_run: bool = False, now: dt.datetime | None = None) -> Report:
    """Erase what is due, or only count it; safe to break off and to repeat.

    A kind that cannot be erased just now (a busy file, a full disk) waits for the next run and holds up no other.
    """
    now = now or timezone.now()
    report = []
    for kind, (days, find) in _kinds().items():
        rows, oldest = 0, None
        try:
            due = find(now - dt.timedelta(days=days))
            rows, oldest = (due.count if dry_run else due.erase()), due.oldest
        except (sqlite3.Error, OSError) as error:
            logger.warning("Retention of %s has to wait: %s", kind, type(error).__name__)
        report.append(Row(kind, days, rows, oldest))
    if not dry_run:
        _clear_log()
    return Report(dry_run, report)


def _kinds() -> dict[str, tuple[int, Callable[[dt.datetime], _Due]]]:
    """Return each kind's days and what finds its rows, in the order in which they are erased."""
    days, ticket_days = settings.RETENTION_DAYS, settings.RETENTION_TICKETS_DAYS
    return {
        "tickets": (ticket_days, _tickets),
        "messages": (days, _messages),
        "turns": (days, lambda before: _rows(Turn.objects.filter(created_at__lt=before, ticket=""), "created_at")),
        "updates": (days, _updates),
        "buttons": (BUTTON_DAYS, _buttons),
        "files": (days, _files),
        "stray files": (STRAY_DAYS, _stray),
        "memory": (days, _memory),
        "conversations": (days, _conversations),
    }


def _rows(found: QuerySet, at: str) -> _Due:
    return _Due(found.count(), found.aggregate(oldest=Min(at))["oldest"], lambda: _delete(found))


def _delete(found: QuerySet) -> int:
    erased = 0
    while keys := list(found.values_list("pk", flat=True)[:BATCH]):
        # `found` again: a row that came into use since it was listed stays.
        found.model.objects.filter(pk__in=found.filter(pk__in=keys).values("pk")).delete()
        erased += len(keys)
    return erased


def _each(found: list[tuple[dt.datetime, Callable[[], object]]]) -> _Due:
    def erase() -> int:
        for _, act in found:
            act()
        return len(found)

    return _Due(len(found), min((at for at, _ in found), default=None), erase)


def _tickets(before: dt.datetime) -> _Due:
    closed = erasable(Ticket.objects.filter(closed_at__lt=before))
    return _each([(ticket.closed_at, lambda ticket=ticket: erase_ticket(ticket)) for ticket in closed])


def _messages(before: dt.datetime) -> _Due:
    on_file = TicketEvent.objects.filter(message__isnull=False).values("message")
    old = Message.objects.filter(created_at__lt=before, ticket=None)
    return _rows(old.exclude(state__in=_UNFINISHED).exclude(pk__in=on_file), "created_at")


def _updates(before: dt.datetime) -> _Due:
    # What /forget emptied is there to drop a channel's repeats, which come within a day.
    emptied = Q(payload={}, received_at__lt=timezone.now() - REPEATS)
    old = Update.objects.filter(Q(received_at__lt=before) | emptied)
    return _rows(old.exclude(state=UpdateState.RECEIVED), "received_at")


def _buttons(before: dt.datetime) -> _Due:
    last = timezone.now() - dt.timedelta(days=settings.RETENTION_DAYS)
    old = Button.objects.filter(created_at__lt=before)
    return _rows(old.exclude(payload__startswith=f"{REPLY}:", created_at__gte=last), "created_at")


def _files(before: dt.datetime) -> _Due:
    old = TicketFile.objects.filter(ticket=None, created_at__lt=before)

    def erase(file: TicketFile) -> None:
        files.erase(file)
        file.delete()

    return _each([(file.created_at, lambda file=file: erase(file)) for file in old])


def _stray(before: dt.datetime) -> _Due:
    known = set(TicketFile.objects.exclude(path="").values_list("path", flat=True))
    root: Path = settings.FILES_ROOT
    found = []
    for path in root.rglob("*") if root.exists() else ():
        written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
        if path.is_file() and written < before and path.relative_to(root).as_posix() not in known:
            found.append((written, lambda path=path: path.unlink(missing_ok=True)))
    return _each(found)


def _memory(before: dt.datetime) -> _Due:
    """Rasa's memory of chats that are silent since then, and of names that no chat has any more (bot/trackers.py)."""
    active = {str(each): last for each, last in Conversation.objects.values_list("uuid", "last_at")}
    old = {
        sender: began
        for sender, began in trackers.sessions().items()
        if sender not in active or (began < before and active[sender] < before)
    }
    return _Due(len(old), min(old.values(), default=None), lambda: trackers.erase(old) and len(old))


def _conversations(before: dt.datetime) -> _Due:
    """Chats of which nothing else is left: the last thing that says that somebody wrote to us."""
    empty = Conversation.objects.filter(
        last_at__lt=before, messages=None, turns=None, updates=None, tickets=None, files=None
    )
    return _rows(empty, "last_at")


def _clear_log() -> None:
    """Empty SQLite's write-ahead log, which holds old pages; a reader in the way lets it wait for the next run."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        patience = cursor.fetchone()[0]
        cursor.execute("PRAGMA busy_timeout=500")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute(f"PRAGMA busy_timeout={patience}")
