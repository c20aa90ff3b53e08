"""Which entries are approved statements of the city: only these answer a question for its position."""

from __future__ import annotations

from knowledge.models import Entry


def is_statement(slug: str) -> bool:
    """Whether the entry may be answered and is a statement; raises django.db.DatabaseError."""
    return Entry.objects.answerable().filter(slug=slug, statement=True).exists()
