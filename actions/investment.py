"""Investment: an inquiry to the investment office, as a ticket."""

from __future__ import annotations

from actions import prefill
from actions.fields import check_contact, check_country, check_name, prefill_contact, text_check
from actions.form_model import CONFIRM_FIELD, CONSENT_FIELD, Field, Form, declare
from actions.forms import CancelForm, CorrectForm, SubmitForm, ValidateForm

INVESTMENT = declare(
    Form(
        name="investment",
        kind="investment",
        subject="subject",
        fields=(
            Field("name", check_name, prefill.name),
            Field("country", check_country, prefill.country),
            Field("sector", text_check(3, 200, "utter_investment_bad_sector")),
            Field("subject", text_check(10, 4000, "utter_investment_bad_subject")),
            CONSENT_FIELD,
            Field("contact", check_contact, prefill_contact, labelled=True),
            CONFIRM_FIELD,
        ),
    )
)


class ValidateInvestmentForm(ValidateForm):
    """Checks an investor's answers."""

    form = INVESTMENT


class CorrectInvestment(CorrectForm):
    """Asks one of the fields again."""

    form = INVESTMENT


class CancelInvestment(CancelForm):
    """Forgets the inquiry."""

    form = INVESTMENT


class SubmitInvestment(SubmitForm):
    """Hands the inquiry to the investment office."""

    form = INVESTMENT
