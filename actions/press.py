"""Press: a foreign journalist's request, field by field, and the ticket for the press office."""

from __future__ import annotations

from actions import prefill
from actions.fields import check_contact, check_country, prefill_contact
from actions.form_model import CONFIRM_FIELD, CONSENT_FIELD, WORDS, Field, Form, declare
from actions.forms import CancelForm, CorrectForm, SubmitForm, ValidateForm
from actions.press_fields import (
    check_deadline,
    check_format,
    check_name_and_outlet,
    check_outlet,
    check_subject,
    check_zone,
    prefill_zone,
)

PRESS = declare(
    Form(
        name="press",
        kind="press",
        subject="subject",
        fields=(
            Field("name", check_name_and_outlet, prefill.name),
            Field("outlet", check_outlet, prefill.outlet),
            Field("country", check_country, prefill.country, settles=("zone",)),
            Field("subject", check_subject, prefill.subject),
            Field("format", check_format, prefill.format, labelled=True),
            Field("deadline", check_deadline, prefill.deadline, labelled=True, settles=("zone",)),
            Field("zone", check_zone, prefill_zone, kept=False),
            CONSENT_FIELD,
            Field("contact", check_contact, prefill_contact, labelled=True),
            CONFIRM_FIELD,
        ),
        extra=(WORDS, "deadline_words"),
    )
)


class ValidatePressForm(ValidateForm):
    """Checks a journalist's answers."""

    form = PRESS


class CorrectPress(CorrectForm):
    """Asks one of the fields again."""

    form = PRESS


class CancelPress(CancelForm):
    """Forgets the request."""

    form = PRESS


class SubmitPress(SubmitForm):
    """Hands the request to the press office."""

    form = PRESS
