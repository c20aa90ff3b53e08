"""What the desk still does when the dialogue engine is down: emergency numbers, answers, tickets."""

from __future__ import annotations

import json
import logging

from asgiref.sync import sync_to_async

from bot.context import last_answered
from bot.models import Conversation, Outcome
from bot.replies import HUMAN, Draft, Ending, text_reply
from bot.texts import say, spoken
from desk.tickets import open_ticket
from knowledge.client import SearchClient, SearchUnavailable
from nlu import emergency, press

logger = logging.getLogger(__name__)
ENTRY_ORDER = "/show_entry"


async def answer(
    conversation: Conversation, text: str, order: str | None, language: str, search: SearchClient
) -> tuple[list[Draft], Ending]:
    """Return what to say without the dialogue engine, and how the turn ended."""
    if order and order.startswith(ENTRY_ORDER):
        slug = json.loads(order[len(ENTRY_ORDER) :])["entry"]
        return [Draft(entry=slug)], Ending(outcome=Outcome.ANSWERED, entry=slug, degraded=True)
    if emergency.detect(text):
        return [Draft(text=say("utter_emergency", language))], Ending(outcome=Outcome.EMERGENCY, degraded=True)
    if (order and order.startswith(HUMAN)) or text.casefold() in spoken("talk_to_person"):
        return await _ticket("other", conversation, await _last_words(conversation), language)
    if press.detect(text) or conversation.form == "press":
        return await _ticket("press", conversation, text, language)
    if conversation.form:
        return await _ticket("other", conversation, text, language)
    if order:
        return [text_reply("failed", language)], Ending(outcome=Outcome.FAILED, degraded=True)
    about = await sync_to_async(last_answered)(conversation.sender)
    return await _search(text, language, search, about)


async def _ticket(kind: str, conversation: Conversation, words: str, language: str) -> tuple[list[Draft], Ending]:
    ticket = await sync_to_async(open_ticket)(kind, conversation=conversation, language=language, words=words)
    ending = Ending(outcome=Outcome.HANDED_OFF, ticket=ticket.number, degraded=True)
    return [text_reply("ticket_opened", language, ticket=ticket.number)], ending


async def _last_words(conversation: Conversation) -> str:
    """Return the last thing the person wrote, which is what they want a person for."""
    last = await conversation.messages.filter(author="user").exclude(text="").order_by("-id").afirst()
    return last.text if last else "-"


async def _search(
    text: str, language: str, search: SearchClient, about: str | None
) -> tuple[list[Draft], Ending]:
    try:
        found = await search.search(text, language, about=about)
    except SearchUnavailable as error:
        logger.warning("Neither the dialogue engine nor the search service answers: %s", error)
        return [Draft(text=say("failed", language), human=True)], Ending(outcome=Outcome.FAILED, degraded=True)
    ending = Ending(
        outcome=Outcome(found.outcome), entry=found.entry or "", entry_language=found.entry_language or "",
        score=found.score, near=found.near, degraded=True,
    )
    if ending.outcome == Outcome.ANSWERED:
        return [Draft(entry=ending.entry)], ending
    return [Draft(text=say("not_known", language), entries=found.offers(), human=True)], ending
