"""The button "reply to the staff" under a staff answer, and the message after it, which goes onto the ticket."""

from __future__ import annotations

from django.db import transaction

from bot import store
from bot.models import Conversation, Outcome, Update
from bot.replies import OWN, Choice, Draft, Ending, text_reply
from bot.store import Result
from bot.texts import say
from desk.models import Ticket
from desk.notices import REPLY
from desk.tickets import follow_up
from nlu import emergency

CANCEL = f"{REPLY}:"


def begin(conversation: Conversation, number: str, language: str) -> list[Draft]:
    """Wait for the words that go to a ticket of this chat; without a number, stop waiting."""
    if not number:
        stop(conversation)
        return [text_reply("reply_left", language)]
    ticket = conversation.tickets.filter(number=number, withdrawn_at=None, erased_at=None).first()
    if ticket is None:
        return [Draft(text=say("reply_gone", language), human=True)]
    Conversation.objects.filter(pk=conversation.pk).update(replying_to=ticket)
    cancel = Choice(say("reply_cancel", language), CANCEL)
    return [Draft(text=say("reply_prompt", language, ticket=ticket.number), choices=[cancel])]


def stop(conversation: Conversation) -> None:
    """Take the next words for an ordinary message again."""
    Conversation.objects.filter(pk=conversation.pk).update(replying_to=None)


def take(
    update: Update, text: str, language: str, drafts: list[Draft], ending: Ending, milliseconds: float, *, fetched: bool
) -> Result | None:
    """Put a message on the ticket that it answers to; None when the chat waits for none any more.

    `drafts` is what has to be said first, `ending` what the turn leaves as it was. The ticket's line, the turn and what
    is said about it are one transaction: a crash leaves all of them or none.
    """
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get(pk=update.conversation_id)
        asked = conversation.replying_to
        stop(conversation)
        if asked is None or asked.withdrawn_at or asked.erased_at:
            return None
        ticket = follow_up(asked, text)
        ending.outcome, ending.ticket, ending.intent = Outcome.HANDED_OFF, ticket.number, OWN
        said = [*drafts, _said(asked, ticket, ending.language or language)]
        if emergency.detect(text):
            # Staff read it when they read it; whoever is in danger needs the numbers now.
            said.insert(0, Draft(text=say("utter_emergency", language)))
            ending.outcome = Outcome.EMERGENCY
        return store.commit_turn(
            update, conversation.epoch, text, language, said, ending, milliseconds, fetched=fetched
        )


def _said(asked: Ticket, ticket: Ticket, language: str) -> Draft:
    if ticket.previous_id == asked.pk:
        return text_reply("reply_new", language, old=asked.number, ticket=ticket.number)
    return text_reply("reply_sent", language, ticket=ticket.number)
