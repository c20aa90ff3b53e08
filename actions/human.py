"""Talk to a person: one message becomes a ticket."""

from __future__ import annotations

import logging

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.tickets import TicketError, open_ticket
from actions.turns import language_of, utter_turn

logger = logging.getLogger(__name__)
MIN_LETTERS = 3


class ValidateHumanForm(Action):
    """Checks the message before it is passed on."""

    def name(self) -> str:
        """Return the name Rasa looks for."""
        return "validate_human_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Accept a message that says something."""
        events: list[EventType] = []
        for slot, value in tracker.slots_to_validate().items():
            if slot == "human_message" and sum(c.isalnum() for c in str(value or "")) < MIN_LETTERS:
                dispatcher.utter_message(response="utter_human_message_short")
                value = None
            events.append(SlotSet(slot, value))
        return events


class SubmitHuman(Action):
    """Opens the ticket."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_submit_human"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Tell the number, or that nothing could be stored; then the form asks again."""
        try:
            number = await open_ticket(
                kind="other",
                conversation=tracker.sender_id,
                language=language_of(tracker),
                words=str(tracker.get_slot("human_message")),
            )
        except TicketError as error:
            logger.error("A message to a person could not be stored: %s", error)
            dispatcher.utter_message(response="utter_human_failed")
            return [ActiveLoop("human_form"), SlotSet("human_message", None)]
        dispatcher.utter_message(response="utter_human_sent", ticket=number)
        utter_turn(dispatcher, tracker, "handed_off", ticket=number, form=None, intent="human")
        return [SlotSet("human_message", None), SlotSet("not_known_count", 0)]


class CancelHuman(Action):
    """Closes the form without sending anything."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_cancel_human"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say that nothing was sent."""
        dispatcher.utter_message(response="utter_human_cancelled")
        return [ActiveLoop(None), SlotSet("requested_slot", None), SlotSet("human_message", None)]
