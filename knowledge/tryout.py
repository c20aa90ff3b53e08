"""Try it: what the bot would say to a question now, and why, without anything being stored or sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone

from knowledge.addresses import convert
from knowledge.answers import Answer, load_answer, load_questions
from knowledge.client import Found, SearchClient
from knowledge.statements import is_statement
from nlu import emergency, press
from nlu.events import asked_span
from nlu.language import choose_language
from nlu.text import clean


@dataclass(frozen=True)
class Tried:
    """What would be said: `found` by the search, the answer or the offered questions, and what goes before it."""

    text: str
    language: str
    found: Found
    answer: Answer | None = None
    offers: list[tuple[str, str]] = field(default_factory=list)
    # What is said instead of an answer, whatever the search finds: emergency, press, position, moved, events.
    instead: str = ""

    @property
    def why(self) -> str:
        """Return the reason for the decision, in figures."""
        limits, score = self.found.limits, self.found.score or 0.0
        if not self.found.near:
            return "Không tìm thấy mục nào. / No entry was found."
        if not limits:
            return f"{score:.0%}"
        return (
            f"Khả năng mục đầu trả lời đúng: {score:.0%}. Trả lời từ {limits['answer_from']:.0%}, hỏi lại từ "
            f"{limits['clarify_from']:.0%}. / The first entry is held to answer with {score:.0%}; the bot answers "
            f"from {limits['answer_from']:.0%} on and asks back from {limits['clarify_from']:.0%} on."
        )


def try_out(text: str, language: str = "") -> Tried | None:
    """Return what the bot would say to a first message; None when it holds no letter or digit.

    Without a language it is found out as the bot finds it out. Raises SearchUnavailable.
    """
    cleaned = clean(text)
    if cleaned.empty:
        return None
    language = language or choose_language(cleaned.text)
    found = _search(cleaned.text, language)
    answer = load_answer(found.entry, language) if found.outcome == "answered" and found.entry else None
    offers = [] if found.outcome == "answered" else load_questions(found.offers(), language)
    return Tried(cleaned.text, language, found, answer, offers, _instead(cleaned.text, found))


def _instead(text: str, found: Found) -> str:
    if emergency.detect(text):
        return "emergency"
    if press.detect(text):
        return "press"
    if convert(text):
        return "moved"
    if asked_span(text, timezone.localdate()):
        return "events"
    if press.asks_position(text) and not (found.outcome == "answered" and is_statement(found.entry or "")):
        return "position"
    return ""


@async_to_sync
async def _search(text: str, language: str) -> Found:
    client: Any = SearchClient(settings.KNOWLEDGE_URL, settings.KNOWLEDGE_TIMEOUT)
    try:
        return await client.search(text, language)
    finally:
        await client.aclose()
