"""Press: the form's checks, corrections, cancelling, and the ticket."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import press_fields
from actions.press_fields import Checked, FieldError
from actions.tickets import TicketError, open_ticket
from actions.turns import entity_of, language_of, utter_turn

logger = logging.getLogger(__name__)

SLOTS = tuple(f"press_{field}" for field in press_fields.FIELDS)
LABELS = ("press_format_label", "press_deadline_label", "press_contact_label")
ALL_SLOTS = (*SLOTS, *LABELS, "press_confirm", "press_words")

CHECKS: dict[str, Callable[[str, str], Checked]] = {
    "press_name": lambda text, language: press_fields.check_name(text),
    "press_outlet": lambda text, language: press_fields.check_outlet(text),
    "press_country": lambda text, language: press_fields.check_country(text),
    "press_subject": lambda text, language: press_fields.check_subject(text),
    "press_format": press_fields.check_format,
    "press_deadline": press_fields.check_deadline,
    "press_contact": press_fields.check_contact,
}


class ValidatePressForm(Action):
    """Checks each answer; what is wrong is explained, and asked again by the form."""

    def name(self) -> str:
        """Return the name Rasa looks for."""
        return "validate_press_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Return the slots as they are stored, None for what was refused."""
        events: list[EventType] = []
        for slot, value in tracker.slots_to_validate().items():
            if slot == "press_confirm":
                if value not in (None, "send"):
                    dispatcher.utter_message(response="utter_press_bad_confirm")
                    value = None
                events.append(SlotSet(slot, value))
            elif slot in CHECKS:
                events += self._check(dispatcher, tracker, slot, value)
        return events

    @staticmethod
    def _check(
        dispatcher: CollectingDispatcher, tracker: Tracker, slot: str, value: object
    ) -> list[EventType]:
        if value is None:
            return [SlotSet(slot, None)]
        try:
            checked = CHECKS[slot](str(value), language_of(tracker))
        except FieldError as error:
            dispatcher.utter_message(response=error.response)
            return [SlotSet(slot, None)]
        events: list[EventType] = [SlotSet(slot, checked.value)]
        if f"{slot}_label" in LABELS:
            events.append(SlotSet(f"{slot}_label", checked.label))
        if checked.also and not tracker.get_slot(checked.also[0]):
            events.append(SlotSet(*checked.also))
        return events


class CorrectPress(Action):
    """Empties the field that is to be corrected, so that the form asks for it again; the others stay."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_correct_press"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Ask the field again, or which one is meant."""
        field = entity_of(tracker, "field")
        if field in SLOTS:
            return [SlotSet(field, None), SlotSet("press_confirm", None), FollowupAction("press_form")]
        dispatcher.utter_message(response="utter_press_which_field")
        return []


class CancelPress(Action):
    """Closes the form and forgets what was filled in."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_cancel_press"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say that nothing was sent."""
        dispatcher.utter_message(response="utter_press_cancelled")
        return [ActiveLoop(None), SlotSet("requested_slot", None), *_emptied()]


class SubmitPress(Action):
    """Opens the ticket."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_submit_press"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Tell the number; when nothing could be stored, keep the form and let the person send again."""
        fields = {field: tracker.get_slot(f"press_{field}") for field in press_fields.FIELDS}
        fields |= {field: tracker.get_slot(f"press_{field}_label") for field in ("deadline", "contact")}
        deadline = tracker.get_slot("press_deadline")
        words = str(tracker.get_slot("press_words") or "")
        try:
            number = await open_ticket(
                kind="press",
                conversation=tracker.sender_id,
                language=language_of(tracker),
                # A pressed button has no words of its own; then what is asked stands in the subject.
                words=words if words and not words.startswith("/") else str(fields["subject"]),
                fields=fields,
                deadline=datetime.fromisoformat(deadline) if deadline and deadline != "none" else None,
            )
        except TicketError as error:
            logger.error("A press request could not be stored: %s", error)
            dispatcher.utter_message(response="utter_press_failed")
            return [SlotSet("press_confirm", None), ActiveLoop("press_form")]
        dispatcher.utter_message(response="utter_press_sent", ticket=number)
        utter_turn(dispatcher, tracker, "handed_off", ticket=number, intent="press")
        return [*_emptied(), SlotSet("not_known_count", 0)]


def _emptied() -> list[EventType]:
    return [SlotSet(slot, None) for slot in ALL_SLOTS]
