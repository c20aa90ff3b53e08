"""Complaint: what went wrong and where, with photographs if there are any, as a ticket."""

from __future__ import annotations

from actions import prefill
from actions.fields import bare, bares, button_label, check_contact, prefill_contact, text_check
from actions.form_model import CONFIRM_FIELD, CONSENT_FIELD, Checked, Field, Form, Reading, declare
from actions.forms import CancelForm, CorrectForm, SubmitForm, ValidateForm

_check_said = text_check(2, 200, "utter_complaint_bad_time")


def check_time(text: str, reading: Reading) -> Checked:
    """Accept any words for when it happened; nobody has to remember."""
    if text == "unknown" or bare(text) in bares("unknown"):
        return Checked("unknown", button_label("utter_ask_complaint_time", "unknown", reading.language))
    checked = _check_said(text, reading)
    return Checked(checked.value, checked.value)


COMPLAINT = declare(
    Form(
        name="complaint",
        kind="complaint",
        subject="subject",
        fields=(
            Field("subject", text_check(10, 4000, "utter_complaint_bad_subject"), prefill.complaint),
            Field("place", text_check(3, 300, "utter_complaint_bad_place"), prefill.place),
            Field("time", check_time, labelled=True),
            CONSENT_FIELD,
            Field("contact", check_contact, prefill_contact, labelled=True),
            CONFIRM_FIELD,
        ),
    )
)


class ValidateComplaintForm(ValidateForm):
    """Checks the answers."""

    form = COMPLAINT


class CorrectComplaint(CorrectForm):
    """Asks one of the fields again."""

    form = COMPLAINT


class CancelComplaint(CancelForm):
    """Forgets the complaint."""

    form = COMPLAINT


class SubmitComplaint(SubmitForm):
    """Hands the complaint to the office that handles them."""

    form = COMPLAINT
