"""Rasa's memory of the dialogues, seen from outside: counted and erased in the file that nlu/tracker_store.py writes.

Rasa reads a conversation from this file at every turn and keeps none in memory, so what is gone here is gone there.
A turn that is still being computed may write once more after it: `forget` gives the conversation a new name, and the
worker erases what stands under names that no conversation has.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from django.conf import settings


@contextmanager
def _opened() -> Iterator[sqlite3.Connection | None]:
    """Open the file, None when Rasa has not made it yet; sqlite3.Error when it is busy for longer than 5 s."""
    if not settings.RASA_TRACKERS.exists():
        yield None
        return
    with closing(sqlite3.connect(settings.RASA_TRACKERS, timeout=5)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'dialogue_events'").fetchone()
        if known:
            # What is deleted is overwritten, not only unlinked.
            connection.execute("PRAGMA secure_delete=ON")
        yield connection if known else None


def count(sender: str) -> int:
    """Return how many events are remembered of a conversation."""
    with _opened() as connection:
        if connection is None:
            return 0
        return connection.execute("SELECT COUNT(*) FROM dialogue_events WHERE sender = ?", (sender,)).fetchone()[0]


def events(sender: str) -> list[str]:
    """Return what is remembered of a conversation: one JSON text an event."""
    with _opened() as connection:
        if connection is None:
            return []
        rows = connection.execute("SELECT data FROM dialogue_events WHERE sender = ? ORDER BY position", (sender,))
        return [data for (data,) in rows]


def erase(senders: Iterable[str]) -> int:
    """Erase what is remembered of these conversations; return how many events that were. Safe to repeat."""
    with _opened() as connection:
        if connection is None:
            return 0
        with connection:
            erased = sum(
                connection.execute("DELETE FROM dialogue_events WHERE sender = ?", (sender,)).rowcount
                for sender in senders
            )
        # The write-ahead log still holds the old pages; when somebody reads just now, the worker's turn comes.
        connection.execute("PRAGMA busy_timeout=200")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased


def sessions() -> dict[str, dt.datetime]:
    """Return when the session began that is remembered of each conversation."""
    with _opened() as connection:
        if connection is None:
            return {}
        rows = connection.execute("SELECT sender, MIN(session) FROM dialogue_events GROUP BY sender")
        return {sender: dt.datetime.fromtimestamp(began, dt.UTC) for sender, began in rows}
