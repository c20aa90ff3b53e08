"""What the conversation has just been about, read from the turns that bot keeps."""

from __future__ import annotations

import logging

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import DatabaseError, close_old_connections

logger = logging.getLogger(__name__)


async def last_entry(conversation: str) -> str | None:
    """Return the entry answered last in a conversation, which a short question may go on about (`bot.context`).

    Without the database the question stands by itself: None.
    """
    return await sync_to_async(_last_entry)(conversation)


def _last_entry(conversation: str) -> str | None:
    from bot.context import last_answered  # Django is set up by the time an action runs, not when modules are listed

    close_old_connections()
    try:
        return last_answered(conversation)
    except (DatabaseError, ValidationError) as error:
        logger.warning("What was answered before cannot be read: %s", error)
        return None
    finally:
        close_old_connections()
