"""What the desk still does when the dialogue engine is down: emergency numbers, answers, tickets."""

from __future__ import annotations

import json
import logging

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from bot.context import last_answered
from bot.models import Conversation, Outcome
from bot.replies import HUMAN, Choice, Draft, Ending, text_reply
from bot.texts import say, spoken
from desk.hours import when_text
from desk.models import Kind
from desk.tickets import open_ticket
from knowledge.addresses import convert
from knowledge.client import SearchClient, SearchUnavailable
from knowledge.statements import is_statement
from knowledge.whats_on import whats_on
from nlu import emergency, press
from nlu.events import asked_span
from nlu.person import asks_for_person

logger = logging.getLogger(__name__)
ENTRY_ORDER = "/show_entry"
CANCEL_ORDER = "/cancel"
# Buttons that answer a question of an open form.
ANSWER_ORDERS = ("/choose{",)
# What the buttons that begin a form ask for.
FORM_ORDERS = {"/press": Kind.PRESS, "/investment": Kind.INVESTMENT, "/complaint": Kind.COMPLAINT}


async def answer(
    conversation: Conversation, text: str, order: str | None, language: str, search: SearchClient
) -> tuple[list[Draft], Ending]:
    """Return what to say without the dialogue engine, and how the turn ended."""
    if order and order.startswith(ENTRY_ORDER):
        slug = json.loads(order[len(ENTRY_ORDER) :])["entry"]
        return [Draft(entry=slug)], Ending(outcome=Outcome.ANSWERED, entry=slug, degraded=True)
    if handed := await to_people(conversation, text, order, language):
        return handed
    if order:
        return [text_reply("failed", language)], _unchanged(conversation)
    if moved := convert(text):
        key = "utter_old_address_divided" if moved.divided else "utter_old_address"
        said = Draft(text=say(key, language, old=moved.old, new=moved.new))
        return [said], Ending(outcome=Outcome.ANSWERED, degraded=True)
    if span := asked_span(text, timezone.localdate()):
        told = await sync_to_async(whats_on)(span, language)
        said = Draft(text=say(told.response, language, **told.values), entries=told.entries)
        return [said], Ending(outcome=Outcome.ANSWERED, degraded=True)
    about = await sync_to_async(last_answered)(conversation.sender)
    return await _search(text, conversation, language, search, about)


async def to_people(
    conversation: Conversation, text: str, order: str | None, language: str
) -> tuple[list[Draft], Ending] | None:
    """Do what no machine answers, emergencies and requests for staff; None when the message is neither."""
    if emergency.detect(text):
        return [Draft(text=say("utter_emergency", language))], Ending(outcome=Outcome.EMERGENCY, degraded=True)
    if (order and order.startswith(HUMAN)) or text.casefold() in spoken("talk_to_person") or asks_for_person(text):
        return await _ticket("other", conversation, await _last_words(conversation) or text or "-", language)
    if order in FORM_ORDERS:
        return _instead_of_form(FORM_ORDERS[order], language)
    if order == CANCEL_ORDER and conversation.form and not conversation.requested:
        return [text_reply("reply_left", language)], Ending(outcome=Outcome.SMALL_TALK, degraded=True)
    if order and not order.startswith(ANSWER_ORDERS):
        return None
    if press.detect(text) or conversation.form == "press":
        return await _ticket("press", conversation, text, language)
    if conversation.form:
        kind = conversation.form if conversation.form in Kind.values else Kind.OTHER
        return await _ticket(kind, conversation, text, language)
    return None


def _instead_of_form(kind: Kind, language: str) -> tuple[list[Draft], Ending]:
    """Ask for everything in one message, which `to_people` makes a ticket of; no question of the form waits for it."""
    said = say("form_in_one_message", language, days=settings.RETENTION_TICKETS_DAYS)
    cancel = Choice(say("reply_cancel", language), CANCEL_ORDER)
    return [Draft(text=said, choices=[cancel])], Ending(outcome=Outcome.FORM, form=kind.value, degraded=True)


def _unchanged(conversation: Conversation) -> Ending:
    """Return the ending of an order that only the dialogue engine can carry out: an open form stays open."""
    return Ending(
        outcome=Outcome.FAILED, form=conversation.form, requested=conversation.requested, degraded=True
    )


async def _ticket(kind: str, conversation: Conversation, words: str, language: str) -> tuple[list[Draft], Ending]:
    ticket = await sync_to_async(open_ticket)(kind, conversation=conversation, language=language, words=words)
    return await sync_to_async(opened)(ticket.number, conversation, language)


def opened(number: str, conversation: Conversation, language: str) -> tuple[list[Draft], Ending]:
    """Return what is said about a ticket that was opened without the dialogue engine, and how the turn ended."""
    when = when_text(language, conversation.timezone)
    ending = Ending(outcome=Outcome.HANDED_OFF, ticket=number, degraded=True)
    return [text_reply("ticket_opened", language, ticket=number, when=when)], ending


async def _last_words(conversation: Conversation) -> str:
    """Return the last thing the person wrote, which is what they want a person for."""
    last = await conversation.messages.filter(author="user").exclude(text="").order_by("-id").afirst()
    return last.text if last else ""


async def _position(conversation: Conversation, words: str, language: str) -> tuple[list[Draft], Ending]:
    """Hand a question for the city's position to a person: a machine does not speak for the city."""
    drafts, ending = await _ticket("other", conversation, words, language)
    return [Draft(text=say("utter_position_to_person", language)), *drafts], ending


async def _search(
    text: str, conversation: Conversation, language: str, search: SearchClient, about: str | None
) -> tuple[list[Draft], Ending]:
    try:
        found = await search.search(text, language, about=about)
    except SearchUnavailable as error:
        if press.asks_position(text):
            return await _position(conversation, text, language)
        logger.warning("Neither the dialogue engine nor the search service answers: %s", error)
        return [Draft(text=say("failed", language), human=True)], Ending(outcome=Outcome.FAILED, degraded=True)
    if press.asks_position(text) and not (
        found.outcome == Outcome.ANSWERED and await sync_to_async(is_statement)(found.entry or "")
    ):
        return await _position(conversation, text, language)
    ending = Ending(
        outcome=Outcome(found.outcome), entry=found.entry or "", entry_language=found.entry_language or "",
        score=found.score, near=found.near, degraded=True,
    )
    if ending.outcome == Outcome.ANSWERED:
        # A journalist is answered like anybody, and offered a person.
        return [Draft(entry=ending.entry, human=press.names_journalist(text))], ending
    return [Draft(text=say("not_known", language), entries=found.offers(), human=True)], ending
