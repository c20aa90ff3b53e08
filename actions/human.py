"""Talk to a person: one message becomes a ticket."""

from __future__ import annotations

from actions.fields import text_check
from actions.form_model import Field, Form, declare
from actions.forms import CancelForm, SubmitForm, ValidateForm

HUMAN = declare(
    Form(
        name="human",
        kind="other",
        subject="message",
        fields=(Field("message", text_check(3, 4000, "utter_human_message_short"), kept=False),),
        extra=(),
        failed="utter_human_failed",
    )
)


class ValidateHumanForm(ValidateForm):
    """Checks the message before it is passed on."""

    form = HUMAN


class CancelHuman(CancelForm):
    """Closes the form without sending anything."""

    form = HUMAN


class SubmitHuman(SubmitForm):
    """Passes the message on."""

    form = HUMAN
