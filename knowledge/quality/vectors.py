"""Near-duplicates, with the vectors made anew (files) or taken from the index that serves (the console)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.embedder import Embedder
from knowledge.geometry import Geometry
from knowledge.quality.findings import Finding
from knowledge.quality.pairs import near_duplicates
from knowledge.quality.rules import LEAST, Data
from knowledge.snapshot import Snapshot

BATCH = 32


def duplicates_among(entries: Sequence[Data], embedder: Embedder, geometry: Geometry) -> list[Finding]:
    """Return the near-duplicates among entries, in the languages that every entry has."""
    found = []
    for language in LEAST:
        texts = [(each["slug"], each["translations"][language]) for each in entries if language in each["translations"]]
        if len(texts) < 2:
            continue
        questions, answers = (
            geometry.passage_rows(
                embedder.embed_passages([text[key].strip() for _, text in texts], batch_size=BATCH),
                [language] * len(texts),
            )
            for key in ("question", "answer")
        )
        found += near_duplicates([slug for slug, _ in texts], language, questions, answers)
    return found


def duplicates_in(snapshot: Snapshot, geometry: Geometry) -> list[Finding]:
    """Return the near-duplicates among what is published, from the vectors of the index."""
    found = []
    for language in LEAST:
        rows: dict[str, dict[str, int]] = {}
        for number, each in enumerate(snapshot.passages):
            # The first question of a text is the one it is known by.
            if each.language == language and each.kind in ("question", "answer"):
                rows.setdefault(each.entry, {}).setdefault(each.kind, number)
        slugs = [slug for slug, pair in rows.items() if len(pair) == 2]
        if len(slugs) < 2:
            continue
        questions, answers = (
            geometry.passage_rows(
                np.asarray(snapshot.vectors[[rows[slug][kind] for slug in slugs]]), [language] * len(slugs)
            )
            for kind in ("question", "answer")
        )
        found += near_duplicates(slugs, language, questions, answers)
    return found
