"""`manage.py check_index`: prove that the index and the database agree."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from knowledge.embedder import Embedder, SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.keeper import geometry_of
from knowledge.models import KnowledgeState
from knowledge.passages import published_passages
from knowledge.snapshot import Snapshot, load_current

# A vector is a little different when a text is encoded in other company; another text's is below this.
SAME = 0.98


class Command(BaseCommand):
    help = (
        "Compare the current index snapshot (checksums, passages, vectors, tokens) with the published knowledge base; "
        "exit status 1 when they differ."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--encode", type=int, default=50, metavar="N",
            help="encode N passages again, evenly spread, and compare (default: %(default)s; 0: none)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            snapshot = load_current(settings.INDEX_DIR, embedder.name, geometry_of(embedder).digest)
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        if snapshot is None:
            raise CommandError("There is no index yet. Run `manage.py build_index`.")
        lines = [*_texts(snapshot), *_arrays(snapshot), *_meanings(snapshot, embedder, options["encode"])]
        for line in sorted(lines):
            self.stdout.write(line)
        self.stdout.write(
            f"index = revision {snapshot.revision}, knowledge base = revision {KnowledgeState.current()}: "
            f"{len(snapshot.passages)} passages, {len(lines)} difference(s)"
        )
        if lines:
            sys.exit(1)


def _texts(snapshot: Snapshot) -> Iterator[str]:
    """Yield where the passages are not those that are published."""
    indexed = {passage.id: passage for passage in snapshot.passages}
    published = {passage.id: passage for passage in published_passages()}
    if len(indexed) != len(snapshot.passages):
        yield f"{len(snapshot.passages) - len(indexed)} passages are in the index twice"
    for name in published.keys() - indexed.keys():
        yield f"not indexed: {name}"
    for name in indexed.keys() - published.keys():
        yield f"no longer published: {name}"
    for name in indexed.keys() & published.keys():
        if indexed[name] != published[name]:
            yield f"different text: {name}"


def _arrays(snapshot: Snapshot) -> Iterator[str]:
    """Yield where the vectors and tokens are none that could belong to the passages."""
    lengths = np.linalg.norm(snapshot.vectors, axis=1)
    for row in np.flatnonzero(~(np.abs(lengths - 1) <= 1e-3)):  # written so that NaN is found too
        yield f"vector {row} is not of unit length"
    tokens, counted = snapshot.tokens, int(snapshot.tokens.counts.sum())
    if not counted == len(tokens.vectors) == len(tokens.ids):
        yield f"{counted} tokens are counted, but there are {len(tokens.vectors)} vectors and {len(tokens.ids)} ids"


def _meanings(snapshot: Snapshot, embedder: Embedder, count: int) -> Iterator[str]:
    """Yield where a passage, encoded again, has another vector or other tokens than the index."""
    rows = sorted(set(np.linspace(0, len(snapshot.passages) - 1, count, dtype=int))) if snapshot.passages else []
    starts = snapshot.tokens.starts
    for row, found in zip(rows, embedder.encode_passages([snapshot.passages[row].text for row in rows]), strict=True):
        if not found.vector @ snapshot.vectors[row] >= SAME:
            yield f"vector of another text: {snapshot.passages[row].id}"
        if not np.array_equal(found.ids, snapshot.tokens.text(row, starts)[1]):
            yield f"tokens of another text: {snapshot.passages[row].id}"
