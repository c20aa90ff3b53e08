"""The blocks by which an action tells the channel how a message ended (docs/architecture.md §2)."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from nlu.languages import DEFAULT, supported

# Rasa's name of a form is the name the channels know and this.
LOOP = "_form"


def utter_turn(dispatcher: CollectingDispatcher, tracker: Tracker, outcome: str, **known: Any) -> None:
    """Say how the message ended; a form that stays open is named, since bot keeps what the last turn says."""
    block: dict[str, Any] = {"kind": "turn", "outcome": outcome, "intent": intent_of(tracker)}
    form = str((tracker.active_loop or {}).get("name") or "").removesuffix(LOOP)
    if form:
        block |= {"form": form, "requested": tracker.get_slot("requested_slot") or ""}
    block |= known
    dispatcher.utter_message(json_message={key: value for key, value in block.items() if value is not None})


def utter_answer(dispatcher: CollectingDispatcher, entry: str) -> None:
    """Have the channel say the approved answer of an entry."""
    dispatcher.utter_message(json_message={"kind": "answer", "entry": entry})


def utter_choices(dispatcher: CollectingDispatcher, entries: list[str], *, human: bool) -> None:
    """Have the channel offer entries, and a person."""
    dispatcher.utter_message(json_message={"kind": "choices", "entries": entries, "human": human})


def intent_of(tracker: Tracker) -> str:
    """Return the intent of the latest message."""
    return tracker.latest_message.get("intent", {}).get("name") or ""


def entity_of(tracker: Tracker, name: str) -> str:
    """Return the value of an entity of the latest message, or ""."""
    return next(
        (str(e["value"]) for e in tracker.latest_message.get("entities", []) if e["entity"] == name), ""
    )


def language_of(tracker: Tracker) -> str:
    """Return the language the person is answered in."""
    return supported(tracker.get_slot("language")) or DEFAULT
