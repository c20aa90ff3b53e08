"""Opens tickets from the event loop; desk/tickets.py does the work, in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError, close_old_connections


class TicketError(Exception):
    """The ticket could not be stored."""


async def open_ticket(
    *,
    kind: str,
    conversation: str,
    language: str,
    words: str,
    fields: dict[str, Any] | None = None,
    deadline: datetime | None = None,
) -> str:
    """Open a ticket and return its number; it is in the database before this returns.

    Raises TicketError when the database does not take it.
    """
    return await sync_to_async(_open)(
        kind=kind,
        conversation=conversation,
        language=language,
        words=words,
        fields=fields or {},
        deadline=deadline,
    )


def _open(**ticket: Any) -> str:
    from desk import tickets  # Django is set up by the time an action runs, not when the modules are listed

    close_old_connections()
    try:
        return tickets.open_ticket(ticket.pop("kind"), **ticket).number
    except (tickets.TicketError, DatabaseError, ObjectDoesNotExist, ValidationError, ValueError) as error:
        raise TicketError(f"{type(error).__name__}: {error}"[:300]) from error
    finally:
        close_old_connections()
