"""What is indexed: each published text in the pieces that a question can hit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from knowledge.models import Sensitivity, Translation


@dataclass(frozen=True)
class Passage:
    """One piece of text that leads to an entry; its id is stable for as long as the piece stays where it is."""

    id: str
    entry: str
    language: str
    kind: str
    text: str
    question: str
    valid_from: str | None = None
    valid_until: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the passage as a row of a snapshot."""
        # `asdict` copies deeply: half a second at 20,000 passages, for nothing.
        return {name: getattr(self, name) for name in _FIELDS}

    def valid(self, day: dt.date) -> bool:
        """Tell whether the passage's entry may be answered on a day."""
        iso = day.isoformat()
        return (self.valid_from is None or self.valid_from <= iso) and (
            self.valid_until is None or self.valid_until >= iso
        )


_FIELDS = tuple(each.name for each in fields(Passage))


def published_passages() -> Iterator[Passage]:
    """Yield the passages of everything that is published now, or will be within its dates, in a stable order."""
    rows = (
        Translation.objects.filter(live=True, entry__live=True, entry__sensitivity=Sensitivity.PUBLIC)
        .select_related("entry")
        .order_by("entry__slug", "language")
    )
    for row in rows.iterator():
        yield from passages_of(row)


def passages_of(row: Translation) -> Iterator[Passage]:
    """Yield a translation's passages: its questions, the entry's other names, its answer."""
    entry = row.entry
    names = ", ".join(dict.fromkeys(filter(None, [entry.place_name, *entry.aliases])))
    pieces = [("question", text) for text in row.questions]
    pieces.append(("answer", row.answer.strip()))
    if names:
        pieces.append(("names", f"{row.question} ({names})"))
    for number, (kind, text) in enumerate(pieces):
        yield Passage(
            id=f"{entry.slug}/{row.language}/{kind}/{number}", entry=entry.slug, language=row.language, kind=kind,
            text=text, question=row.question,
            valid_from=entry.valid_from.isoformat() if entry.valid_from else None,
            valid_until=entry.valid_until.isoformat() if entry.valid_until else None,
        )
