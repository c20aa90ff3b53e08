"""Tells people that a question of theirs has an answer now, where they asked for that (bot/feedback.py).

Told is each once, when the search answers the question by itself; an answer found by mistake costs one message.
"""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone

from bot import store
from bot.models import Handler, Outcome, Turn
from bot.replies import Draft, text_reply
from knowledge.answers import load_answer
from knowledge.client import SearchClient

# Questions looked up again in one round of the worker; those that waited longest first.
MOST = 500


def tell() -> int:
    """Look up again what people wait for; tell those whose question is answered now, and return how many.

    Raises:
        SearchUnavailable: the search service does not answer; nothing is lost, the next round tries again.
    """
    waiting = Turn.objects.filter(wished_at__isnull=False, told_at=None, conversation__unreachable=False)
    waiting = waiting.exclude(conversation__handler=Handler.STAFF).select_related("conversation")
    told = 0
    rows = list(waiting.order_by("looked_at", "pk")[:MOST])
    for turn, entry in zip(rows, _answered(rows), strict=True):
        Turn.objects.filter(pk=turn.pk).update(looked_at=timezone.now())
        told += bool(entry) and _tell(turn, entry)
    return told


@async_to_sync
async def _answered(turns: list[Turn]) -> list[str]:
    """Return the entry that answers each question now, "" where none does."""
    client = SearchClient(settings.KNOWLEDGE_URL, settings.KNOWLEDGE_TIMEOUT)
    try:
        found = [await client.search(turn.text, turn.language) for turn in turns]
    finally:
        await client.aclose()
    return [each.entry or "" if each.outcome == Outcome.ANSWERED else "" for each in found]


def _tell(turn: Turn, entry: str) -> bool:
    language = turn.conversation.language or turn.language
    if load_answer(entry, language) is None:
        return False
    drafts = [text_reply("wish_told", language, question=turn.text[:300]), Draft(entry=entry)]
    return store.say_unasked(turn, drafts, language)
