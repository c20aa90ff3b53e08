"""Opens tickets from the event loop; desk/tickets.py does the work, in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError, close_old_connections


class TicketError(Exception):
    """The ticket could not be stored."""


@dataclass(frozen=True)
class Opened:
    """What the person is told about a ticket: its number, and when somebody will look."""

    number: str
    when: str


async def open_ticket(
    *,
    kind: str,
    conversation: str,
    language: str,
    words: str,
    fields: dict[str, Any] | None = None,
    deadline: datetime | None = None,
    consented_at: datetime | None = None,
    zone: str = "",
) -> Opened:
    """Open a ticket; it is in the database before this returns. `zone` is the asker's, where the form asked for it.

    Raises TicketError when the database does not take it.
    """
    return await sync_to_async(_open)(
        kind,
        conversation=conversation,
        language=language,
        words=words,
        fields=fields or {},
        deadline=deadline,
        consented_at=consented_at,
        zone=zone,
    )


def _open(kind: str, *, zone: str, language: str, **ticket: Any) -> Opened:
    # Django is set up by the time an action runs, not when the modules are listed.
    from desk import tickets
    from desk.hours import when_text

    close_old_connections()
    try:
        opened = tickets.open_ticket(kind, zone=zone, language=language, **ticket)
        known = zone or (opened.conversation.timezone if opened.conversation else "")
        return Opened(opened.number, when_text(language, known))
    except (tickets.TicketError, DatabaseError, ObjectDoesNotExist, ValidationError, ValueError) as error:
        raise TicketError(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        close_old_connections()
