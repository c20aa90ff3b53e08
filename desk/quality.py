"""The quality report on what is live: made by the worker, read by the console.

A file beside the index, not a table: it can always be made again from the database.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from bot.models import Turn
from knowledge.errors import KnowledgeError
from knowledge.importer import export_entries
from knowledge.models import Entry, KnowledgeState, Sensitivity, Translation
from knowledge.panels import out_of_date
from knowledge.quality.findings import Finding
from knowledge.quality.rules import check_entry

UNASKED = dt.timedelta(days=90)
# Editors publish many things in an hour; the whole is read at most once in it.
EVERY = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Report:
    """The findings on a revision of the knowledge base, when they were made, and what could not be looked at."""

    made_at: dt.datetime
    revision: int
    entries: int
    findings: tuple[Finding, ...]
    without: str = ""

    @classmethod
    def read(cls, file: Path) -> Report | None:
        """Return the last report; None when there is none or none that can be read."""
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                dt.datetime.fromisoformat(data["made_at"]), data["revision"], data["entries"],
                tuple(Finding(*each) for each in data["findings"]), data["without"],
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, file: Path) -> None:
        """Put the report in the place of the last one; a reader sees the one or the other, never half of it."""
        data: dict[str, Any] = {
            "made_at": self.made_at.isoformat(), "revision": self.revision, "entries": self.entries,
            "without": self.without, "findings": [astuple(each) for each in self.findings],
        }  # fmt: skip
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        draft.replace(file)

    def stale(self, now: dt.datetime) -> bool:
        """Tell whether it is time for a new one: something was published since, or a day has gone by."""
        age = now - self.made_at
        return age >= dt.timedelta(days=1) or (age >= EVERY and self.revision != KnowledgeState.current())


def make(now: dt.datetime, index: Path) -> Report:
    """Return the report on what is live now; near-duplicates are found with the vectors of the serving index."""
    # Here: they need numpy, and the console's pages are modules of the bot's process too.
    from knowledge.calibration import Calibration
    from knowledge.quality.pairs import contradictions
    from knowledge.quality.vectors import duplicates_in
    from knowledge.snapshot import current_model, load_current

    today = timezone.localdate(now)
    revision = KnowledgeState.current()
    entries = [*_live()]
    found = [each for entry in entries for each in check_entry(entry, today)]
    found += contradictions(entries)
    found += [
        Finding("outdated", each.entry.slug, each.language, each.question)
        for each in out_of_date().filter(live=True, entry__live=True).select_related("entry")
    ]
    found += [Finding("never_asked", slug, "", f"{UNASKED.days} ngày / days") for slug in _unasked(now)]
    without = ""
    try:
        if model := current_model(index):
            geometry = Calibration.read(model).geometry
            if snapshot := load_current(index, model, geometry.digest):
                found += duplicates_in(snapshot, geometry)
        else:
            without = "chưa có chỉ mục / there is no index yet"
    except KnowledgeError as error:
        without = str(error)
    return Report(now, revision, len(entries), tuple(sorted(found)), without)


def _live() -> Iterator[dict[str, Any]]:
    """Yield what readers can see, in the form of files: live public entries with their live texts."""
    live: dict[str, set[str]] = {}
    rows = Translation.objects.filter(live=True, entry__live=True, entry__sensitivity=Sensitivity.PUBLIC)
    for slug, language in rows.values_list("entry__slug", "language"):
        live.setdefault(slug, set()).add(language)
    for entry in export_entries():
        if languages := live.get(entry["slug"]):
            texts = {code: text for code, text in entry["translations"].items() if code in languages}
            yield {**entry, "translations": texts}


def _unasked(now: dt.datetime) -> Iterator[str]:
    asked = Turn.objects.filter(entry=OuterRef("slug"), created_at__gte=now - UNASKED)
    entries = Entry.objects.filter(live=True, sensitivity=Sensitivity.PUBLIC, first_published_at__lt=now - UNASKED)
    return entries.filter(~Exists(asked)).values_list("slug", flat=True).iterator()
