"""Questions for the city's position: an approved statement answers them, else a person; nothing is improvised."""

from __future__ import annotations

import logging

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections
from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher

from actions.turns import entity_of, utter_choices, utter_turn
from knowledge.client import Found
from nlu import press

logger = logging.getLogger(__name__)


def asks_position(tracker: Tracker) -> bool:
    """Whether the message asks what the city thinks, by what was trained or by a cue."""
    return bool(entity_of(tracker, "position")) or press.asks_position(tracker.latest_message.get("text") or "")


async def answers_position(found: Found) -> bool:
    """Whether what the search found is an approved statement; without the database nothing is."""
    return bool(found.outcome == "answered" and found.entry and await sync_to_async(_is_statement)(found.entry))


def to_person(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Say that a person answers this and take the question for one; a form that is open already goes on instead."""
    dispatcher.utter_message(response="utter_position_to_person")
    if not tracker.active_loop:
        return [FollowupAction("human_form")]
    utter_choices(dispatcher, [], human=True)
    utter_turn(dispatcher, tracker, "refused", intent="ask")
    return []


def _is_statement(slug: str) -> bool:
    from knowledge.statements import is_statement  # Django is set up by the time an action runs

    close_old_connections()
    try:
        return is_statement(slug)
    except DatabaseError as error:
        logger.warning("Whether an entry is a statement cannot be read: %s", error)
        return False
    finally:
        close_old_connections()
