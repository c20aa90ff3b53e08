"""What a form is: its fields in order, their checks, and which slots they fill; `actions/forms.py` does the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from rasa_sdk import Tracker

from nlu.phrases import is_command

# The slot of a form that holds the message which opened it, in the person's own words.
WORDS = "words"
# When the person agreed that their data are kept: the value of the field `consent`.
CONSENT = "consent"
CONFIRM = "confirm"


class FieldError(Exception):
    """A value that a field does not take; `response` is the utterance that says why, `also` what else it empties."""

    def __init__(self, response: str, also: tuple[str, ...] = ()) -> None:
        super().__init__(response)
        self.response = response
        self.also = also


@dataclass(frozen=True)
class Checked:
    """A value as it is stored, what is shown of it in the summary, and other fields that the same words settle."""

    value: str
    label: str = ""
    also: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """What a check may look at beside the text: the reader's language and the fields filled so far."""

    language: str
    fields: dict[str, Any]
    form: str = ""


Check = Callable[[str, Reading], Checked]
# From the first message ("" after a button) to a value as somebody would have typed it; None when it is not surely
# there.
Prefill = Callable[[str, Reading], str | None]


@dataclass(frozen=True)
class Field:
    """One question of a form."""

    name: str
    check: Check
    prefill: Prefill | None = None
    # Whether the summary shows something else than what is stored; it is kept in `<field>_label`.
    labelled: bool = False
    # Whether the ticket keeps it (consent and confirmation are no data of the request).
    kept: bool = True
    # Whether somebody can ask to correct it.
    correctable: bool = True
    # What follows from it and is settled anew when it is corrected.
    settles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """A request that becomes a ticket."""

    name: str
    kind: str
    fields: tuple[Field, ...]
    # The field that holds what is asked when the form was opened by a button.
    subject: str
    # Further slots that its fields bring along and that are emptied with it.
    extra: tuple[str, ...] = (WORDS,)
    failed: str = "utter_form_failed"

    @property
    def loop(self) -> str:
        """Return Rasa's name of the form."""
        return f"{self.name}_form"

    def slot(self, field: str) -> str:
        """Return the slot of a field."""
        return f"{self.name}_{field}"

    @property
    def slots(self) -> tuple[str, ...]:
        """Return every slot that belongs to the form."""
        labels = tuple(f"{each.name}_label" for each in self.fields if each.labelled)
        names = (*(each.name for each in self.fields), *labels, *self.extra)
        return tuple(self.slot(name) for name in names)

    def filled(self, tracker: Tracker) -> dict[str, Any]:
        """Return the fields filled so far, labels and extras with them."""
        prefix = len(self.name) + 1
        return {slot[prefix:]: value for slot in self.slots if (value := tracker.get_slot(slot)) is not None}


FORMS: dict[str, Form] = {}


def declare(form: Form) -> Form:
    """Make a form known, so that words after a long pause find the one that was left open."""
    FORMS[form.name] = form
    return form


def begun(tracker: Tracker) -> Form | None:
    """Return the form that a long pause has closed with something in it: its slots outlive the session."""
    if tracker.active_loop:
        return None
    return next((form for form in FORMS.values() if _first_value(form, tracker) is not None), None)


def _first_value(form: Form, tracker: Tracker) -> Any:
    slots = (form.slot(each.name) for each in form.fields)
    return next((value for slot in slots if (value := tracker.get_slot(slot)) is not None), None)


def check_consent(text: str, reading: Reading) -> Checked:
    """Accept agreement, with the moment of it; whoever does not agree may still cancel."""
    if text == "agree" or is_command(text, "affirm"):
        return Checked(datetime.now(timezone.utc).isoformat(timespec="seconds"))
    raise FieldError("utter_form_bad_consent")


def check_confirm(text: str, reading: Reading) -> Checked:
    """Accept the button, or a yes."""
    if text == "send" or is_command(text, "affirm"):
        return Checked("send")
    raise FieldError("utter_form_bad_confirm")


CONSENT_FIELD = Field(CONSENT, check_consent, kept=False, correctable=False)
CONFIRM_FIELD = Field(CONFIRM, check_confirm, kept=False, correctable=False)
