"""Before a text is published: which known questions would end otherwise than they do now.

Known are the evaluation cases, and the published ways to ask for the entries that lie near the draft. What people
typed is not among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db.models import Q

from knowledge.cases import EvaluationCase
from knowledge.client import End, SearchClient
from knowledge.models import Translation
from knowledge.passages import passages_of

# Entries near the draft are looked for with so many of its ways to ask; so many each, and so many questions in all.
WAYS, NEAR, QUESTIONS = 6, 15, 240
# Each question is asked twice, of some hundred; nobody waits for this but the editor who asked for it.
SECONDS = 60.0


@dataclass(frozen=True)
class Change:
    """A question that ends otherwise: `wanted` is the entry that must answer it, None when nothing should."""

    text: str
    language: str
    wanted: str | None
    now: End
    then: End

    @property
    def verdict(self) -> str:
        """Return "better", "worse" or "other" (right neither before nor after, or right both times)."""
        before, after = self._right(self.now), self._right(self.then)
        return "other" if before == after else "better" if after else "worse"

    def _right(self, end: End) -> bool:
        answered = end.entry if end.outcome == "answered" else None
        return answered == self.wanted


def changes(draft: Translation) -> tuple[list[Change], int]:
    """Return what a draft would change, the worse first, and how many questions were asked; raises SearchUnavailable.

    `draft` is the revision's object as `get_latest_revision_as_object` gives it.
    """
    return _ask(draft, list(passages_of(draft)))


@async_to_sync
async def _ask(draft: Translation, passages: list[Any]) -> tuple[list[Change], int]:
    client = SearchClient(settings.KNOWLEDGE_URL, SECONDS)
    try:
        near = {draft.entry.slug}
        for text in draft.questions[:WAYS]:
            near |= {each["entry"] for each in (await client.search(text, draft.language, NEAR)).near}
        known = await _known(draft, near)
        asked = [(text, language) for text, language, _ in known]
        ends = await client.compare(draft.entry.slug, draft.language, passages, asked)
    finally:
        await client.aclose()
    found = [Change(*question, *pair) for question, pair in zip(known, ends, strict=True) if pair[0] != pair[1]]
    order = ("worse", "other", "better")
    return sorted(found, key=lambda each: order.index(each.verdict)), len(known)


async def _known(draft: Translation, near: set[str]) -> list[tuple[str, str, str | None]]:
    """Return (text, language, slug of the entry that must answer) of the questions to ask, each once."""
    cases = EvaluationCase.objects.filter(Q(entry=None) | Q(entry__slug__in=near)).select_related("entry")
    found = {
        (case.text, case.language): case.entry.slug if case.entry else None async for case in cases[: QUESTIONS // 2]
    }
    rows = Translation.objects.filter(live=True, entry__live=True, entry__slug__in=near, language=draft.language)
    async for row in rows.select_related("entry"):
        # The draft's own new ways to ask are its business; whether others keep theirs is the question.
        for text in row.questions:
            found.setdefault((text, row.language), row.entry.slug)
    return [(text, language, slug) for (text, language), slug in found.items()][:QUESTIONS]
