"""What translators have to do: texts missing, out of date or unfinished, and how one differs from its original."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from knowledge.models import LANGUAGE_CHOICES, Entry, Translation
from knowledge.panels import out_of_date
from knowledge.quality.rules import compare
from nlu.languages import SOURCE

KINDS = {
    "missing": "Chưa có / Missing",
    "outdated": "Đã cũ / Out of date",
    "drafts": "Bản nháp / Drafts",
    "here": "Đang công khai / Live",
}


@dataclass(frozen=True)
class Progress:
    """How much of each kind there is in a language."""

    language: str
    name: str
    here: int
    missing: int
    outdated: int
    drafts: int


def counts() -> list[Progress]:
    """Return what is there and what is to be done in every language, of the entries that readers can see."""
    entries = Entry.objects.real().filter(live=True)
    total = entries.count()
    texts = Translation.objects.filter(entry__in=entries)
    rows = {
        row["language"]: row
        for row in texts.order_by().values("language").annotate(
            there=Count("pk"), here=Count("pk", filter=Q(live=True)),
            drafts=Count("pk", filter=Q(has_unpublished_changes=True) | Q(live=False)),
        )
    }  # fmt: skip
    old = dict(out_of_date().order_by().values_list("language").annotate(Count("pk")))
    found = []
    for code, name in LANGUAGE_CHOICES:
        row = rows.get(code, {"there": 0, "here": 0, "drafts": 0})
        found.append(Progress(code, name, row["here"], total - row["there"], old.get(code, 0), row["drafts"]))
    return found


def missing(language: str) -> QuerySet[Entry]:
    """Return the live entries without a text in a language, the most important first."""
    there = Translation.objects.filter(language=language).values("entry")
    return Entry.objects.real().filter(live=True).exclude(pk__in=there).order_by("-priority", "slug")


def waiting(kind: str, language: str) -> QuerySet[Any]:
    """Return the entries (`missing`) or texts (the other KINDS) of a language, the most important first."""
    if kind == "missing":
        return missing(language)
    if kind == "outdated":
        rows = out_of_date().filter(language=language)
    else:
        rows = Translation.objects.filter(language=language, entry__in=Entry.objects.real().filter(live=True))
        unfinished = Q(has_unpublished_changes=True) | Q(live=False)
        rows = rows.filter(unfinished) if kind == "drafts" else rows.filter(live=True)
    return rows.select_related("entry").order_by("-entry__priority", "entry__slug")


def status(entries: Iterable[Entry]) -> list[tuple[Entry, list[tuple[str, str, Translation | None]]]]:
    """Return, for every entry, (language, one of KINDS, text or None) in the order of the languages."""
    found = []
    for entry in entries:
        rows = list(entry.translations.all())
        there = {row.language: row for row in rows}
        states = []
        for code, _ in LANGUAGE_CHOICES:
            row = there.get(code)
            if row is None:
                kind = "missing"
            elif row.out_of_date(rows):
                kind = "outdated"
            else:
                kind = "here" if row.live and not row.has_unpublished_changes else "drafts"
            states.append((code, kind, row))
        found.append((entry, states))
    return found


def original_of(text: Translation) -> Translation | None:
    """Return the text that this one was or will be translated from; None of an original."""
    if not text.entry_id:
        return None
    source = text.source_language or (SOURCE if text.language != SOURCE and not text.pk else "")
    return Translation.objects.filter(entry=text.entry_id, language=source).first() if source else None


def differences(text: Translation) -> list[tuple[str, str]]:
    """Return how the numbers and telephone numbers of a text differ from its original's, as (rule, detail)."""
    original = original_of(text)
    if original is None:
        return []
    return compare(original.answer, original.language, text.answer, text.language)
