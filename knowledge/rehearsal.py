"""What a draft would change, in the search service: questions asked of the index as it is and as it would be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from knowledge.passages import Passage
from knowledge.searcher import Searcher
from knowledge.snapshot import encode


def with_draft(searcher: Searcher, entry: str, language: str, draft: Sequence[Passage]) -> Searcher:
    """Return a search in which an entry's texts of one language are the draft's; what serves readers stays as it is."""
    snapshot = searcher.snapshot
    kept = [each for each in snapshot.passages if (each.entry, each.language) != (entry, language)]
    passages = tuple(sorted([*kept, *draft], key=lambda each: (each.entry, each.language)))
    vectors, tokens = encode(passages, searcher.embedder, snapshot, searcher.geometry)
    return searcher.over(replace(snapshot, passages=passages, vectors=vectors, tokens=tokens))


def compare(
    searcher: Searcher, changed: Searcher, questions: Sequence[tuple[str, str]], today: dt.date
) -> list[dict[str, Any]]:
    """Return for each (text, language) how it ends now and how it would: outcome and first entry."""
    return [
        {"now": _end(searcher, text, language, today), "then": _end(changed, text, language, today)}
        for text, language in questions
    ]


def _end(searcher: Searcher, text: str, language: str, today: dt.date) -> dict[str, Any]:
    decision = searcher.search(text, language, today, 1)
    return {"outcome": decision.outcome, "entry": decision.hits[0].entry if decision.hits else None}
