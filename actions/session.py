"""Rasa's own restart and back, made harmless: they would forget the conversation for anybody."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict


class Restart(Action):
    """Greets instead of forgetting."""

    def name(self) -> str:
        """Return the name of Rasa's action that this replaces."""
        return "action_restart"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say what the desk can do; keep everything."""
        dispatcher.utter_message(response="utter_help")
        return []


class Back(Restart):
    """Greets instead of undoing."""

    def name(self) -> str:
        """Return the name of Rasa's action that this replaces."""
        return "action_back"
