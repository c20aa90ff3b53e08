"""Reading an approved answer, at the moment it is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from knowledge.events import Occurrence, next_occurrence
from knowledge.media import files_of
from knowledge.models import Entry, Sensitivity, Translation
from nlu.languages import answer_order


@dataclass(frozen=True)
class Answer:
    """An approved answer as a reader gets it, with where it comes from and when it was checked."""

    entry: str
    language: str
    question: str
    text: str
    source: dict[str, str] | None
    verified_on: str
    place: dict[str, Any] | None
    phone: str | None
    web: str | None
    fallback: bool
    outdated: bool
    category: str = ""
    # When it takes place, of an event: under way, or the next time.
    event: Occurrence | None = None
    # An official clarification: the question is a claim that goes round.
    clarification: bool = False
    # The picture and the documents that go with it (knowledge/media.py).
    files: list[dict[str, Any]] = field(default_factory=list)


def load_answer(slug: str, language: str) -> Answer | None:
    """Return the entry's answer in the reader's language, else in the next best one; None when it may not be answered.

    Read at the send, not at the search: what is withdrawn, expired or internal by then is None.
    """
    entry = Entry.objects.answerable().filter(slug=slug).prefetch_related("sources").first()
    if entry is None:
        return None
    siblings = list(entry.translations.filter(live=True))
    translation = _best(siblings, language)
    if translation is None:
        return None
    source = next(iter(entry.sources.all()), None)
    return Answer(
        entry=slug,
        language=translation.language,
        question=translation.question,
        text=translation.answer,
        source={"title": source.title, "url": source.url} if source else None,
        verified_on=entry.verified_on.isoformat(),
        place=_place(entry),
        phone=entry.phone or None,
        web=entry.web or None,
        fallback=translation.language != language,
        outdated=translation.out_of_date(siblings),
        category=entry.category,
        event=next_occurrence(entry, timezone.localdate()),
        clarification=entry.clarification,
        files=files_of(entry, translation),
    )


def load_questions(slugs: Sequence[str], language: str, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return (slug, question in the reader's language) for those entries that may be answered, in the order given.

    Entries of the topics `without` are left out.
    """
    found: dict[str, list[Translation]] = {}
    entries = Entry.objects.answerable().filter(slug__in=slugs).exclude(category__in=without)
    rows = Translation.objects.filter(live=True, entry__in=entries)
    for row in rows.select_related("entry"):
        found.setdefault(row.entry.slug, []).append(row)
    best = {slug: _best(rows, language) for slug, rows in found.items()}
    return [(slug, row.question) for slug in slugs if (row := best.get(slug))]


def starter_questions(language: str, limit: int, without: Collection[str] = ()) -> list[str]:
    """Return the questions most asked, in the reader's language, for a conversation's first screen.

    Entries of the topics `without` are left out.
    """
    rows = Translation.objects.filter(
        live=True, language=language, entry__live=True, entry__sensitivity=Sensitivity.PUBLIC
    ).exclude(entry__category__in=without).order_by("-entry__priority", "entry__slug")
    return list(rows.values_list("question", flat=True)[:limit])


def _best(translations: Iterable[Translation], language: str) -> Translation | None:
    by_language = {translation.language: translation for translation in translations}
    return next((by_language[code] for code in answer_order(language) if code in by_language), None)


def _place(entry: Entry) -> dict[str, Any] | None:
    if not entry.place_name:
        return None
    return {
        "name": entry.place_name,
        "latitude": entry.latitude,
        "longitude": entry.longitude,
        "address": entry.address,
    }
