"""The one machinery of every form: its checks, corrections, leaving it, and the ticket it becomes.

A skill's module declares a `Form` (`actions/form_model.py`) and four actions of three lines each. Slots are
`<form>_<field>`; what a field is asked by, and what is said of a mistake, stands in `domain/`. A field may bring more
slots along (its label in the summary); what the first message already said is read by `actions/prefill.py` and never
asked.
"""

from __future__ import annotations

import abc
import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.form_model import CONFIRM, CONSENT, WORDS, Checked, Field, FieldError, Form, Reading
from actions.tickets import TicketError, open_ticket
from actions.turns import entity_of, language_of, utter_turn

logger = logging.getLogger(__name__)


class FormAction(Action, abc.ABC):
    """An action that belongs to one form; a skill's subclass says which."""

    pattern: str

    @property
    @abc.abstractmethod
    def form(self) -> Form:
        """Return the form; a subclass sets it as an attribute of the class."""

    def name(self) -> str:
        """Return the name in the domain."""
        return self.pattern.format(self.form.name)

    @abc.abstractmethod
    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Do the action's part."""


class ValidateForm(FormAction, abc.ABC):
    """Checks each answer, explains what is wrong, and fills in what the first message already said."""

    pattern = "validate_{}_form"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return the slots as they are stored, None for what was refused."""
        form = self.form
        known = form.filled(tracker)
        by_slot = {form.slot(each.name): each for each in form.fields}
        stored: dict[str, Any] = {}
        refused: set[str] = set()
        for slot, value in tracker.slots_to_validate().items():
            each = by_slot.get(slot)
            if each is None or (each.name == CONSENT and slot != tracker.get_slot("requested_slot")):
                continue  # no field, or an agreement of before a long pause
            known.pop(each.name, None)
            if value is None:
                stored[each.name] = None
                refused.add(each.name)
                continue
            try:
                checked = each.check(str(value), Reading(language_of(tracker), known, form.name))
            except FieldError as error:
                dispatcher.utter_message(response=error.response)
                for name in (each.name, *error.also):
                    stored[name] = None
                    refused.add(name)
                    known.pop(name, None)
                continue
            _store(each, checked, stored, known)
        self._prefill(tracker, stored, known, refused)
        events: list[EventType] = [SlotSet(form.slot(name), value) for name, value in stored.items()]
        days = str(settings.RETENTION_TICKETS_DAYS)
        if CONSENT in {each.name for each in form.fields} and tracker.get_slot("keep_days") != days:
            events.append(SlotSet("keep_days", days))
        return events

    def _prefill(self, tracker: Tracker, stored: dict[str, Any], known: dict[str, Any], refused: set[str]) -> None:
        """Fill what the first message said, field by field in the order of the form.

        A field waits for the ones before it: a deadline for the country whose time it is in, a telephone number for
        the consent to keep it. A field that was refused or emptied just now is asked.
        """
        words = str(known.get(WORDS) or "")
        words = "" if words.startswith("/") else words
        reading = Reading(language_of(tracker), known, self.form.name)
        # What is being asked, or asked anew, is for the person to say.
        asked = {tracker.get_slot("requested_slot"), tracker.get_slot("corrected_slot")}
        for each in self.form.fields:
            if known.get(each.name) is not None:
                continue
            if each.prefill is None or each.name in refused or self.form.slot(each.name) in asked:
                return
            said = each.prefill(words, reading)
            if said is None:
                return
            try:
                checked = each.check(said, reading)
            except FieldError:
                return
            _store(each, checked, stored, known)


def _store(each: Field, checked: Checked, stored: dict[str, Any], known: dict[str, Any]) -> None:
    found: dict[str, Any] = {each.name: checked.value}
    if each.labelled:
        found[f"{each.name}_label"] = checked.label or checked.value
    found |= checked.also
    stored |= found
    known |= found


class CorrectForm(FormAction, abc.ABC):
    """Empties the field that is to be corrected, so that the form asks for it again; the others stay."""

    pattern = "action_correct_{}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Ask the field again, or which one is meant."""
        asked, form = entity_of(tracker, "field"), self.form
        if asked in {form.slot(each.name) for each in form.fields if each.correctable}:
            field = next(each for each in form.fields if form.slot(each.name) == asked)
            empty = (field.name, *field.settles, CONFIRM)
            events: list[EventType] = [SlotSet(form.slot(name), None) for name in empty]
            return [*events, SlotSet("corrected_slot", asked), FollowupAction(form.loop)]
        dispatcher.utter_message(response=f"utter_{form.name}_which_field")
        return []


class CancelForm(FormAction, abc.ABC):
    """Closes the form and forgets what was filled in."""

    pattern = "action_cancel_{}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say that nothing was sent."""
        dispatcher.utter_message(response="utter_form_cancelled")
        return [ActiveLoop(None), SlotSet("requested_slot", None), *emptied(self.form)]


class SubmitForm(FormAction, abc.ABC):
    """Opens the ticket."""

    pattern = "action_submit_{}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Tell the number; when nothing could be stored, keep the form and let the person send again."""
        form, filled = self.form, self.form.filled(tracker)
        words = str(filled.get(WORDS) or "")
        try:
            opened = await open_ticket(
                kind=form.kind,
                conversation=tracker.sender_id,
                language=language_of(tracker),
                # A pressed button has no words of its own; then what is asked stands in the subject.
                words=words if words and not words.startswith("/") else str(filled[form.subject]),
                fields=_kept(form, filled),
                deadline=_moment(filled.get("deadline")),
                consented_at=_moment(filled.get(CONSENT)),
                zone=str(filled.get("zone") or ""),
            )
        except TicketError as error:
            logger.error("A %s request could not be stored: %s", form.name, error)
            dispatcher.utter_message(response=form.failed)
            last = form.fields[-1].name
            return [SlotSet(form.slot(last), None), ActiveLoop(form.loop)]
        dispatcher.utter_message(response=f"utter_{form.name}_sent", ticket=opened.number, when=opened.when)
        utter_turn(dispatcher, tracker, "handed_off", ticket=opened.number, form=None, intent=form.name)
        return [*emptied(form), SlotSet("not_known_count", 0)]


def _kept(form: Form, filled: dict[str, Any]) -> dict[str, Any]:
    kept = [each.name for each in form.fields if each.kept]
    labels = [f"{each.name}_label" for each in form.fields if each.labelled]
    return {name: filled[name] for name in (*kept, *labels) if name in filled}


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(str(value)) if value and value != "none" else None


def emptied(form: Form) -> list[EventType]:
    """Return the events that forget a form."""
    return [*(SlotSet(slot, None) for slot in form.slots), SlotSet("corrected_slot", None)]
