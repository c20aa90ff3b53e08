"""Small knowledge bases for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from knowledge.models import Department, Entry, Source, Translation


def entry(slug: str, **fields: Any) -> Entry:
    """Make a live, public entry with a source."""
    names = {"name_vi": "Văn phòng", "name_en": "Office"}
    department, _ = Department.objects.get_or_create(slug="office", defaults=names)
    made = Entry(
        slug=slug, category=fields.pop("category", "tourism"), department=department,
        verified_on=dt.date(2026, 11, 22), live=True, **fields,
    )
    made.sources = [Source(title="A paper", url="https://example.org/a", seen_on=dt.date(2026, 11, 22), sort_order=0)]
    made.save()
    return made


def translation(made: Entry, language: str, question: str, answer: str = "An answer.", **fields: Any) -> Translation:
    """Make a live translation."""
    return Translation.objects.create(
        entry=made, language=language, question=question, answer=answer, live=fields.pop("live", True), **fields
    )
