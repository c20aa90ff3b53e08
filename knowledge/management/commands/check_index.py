"""`manage.py check_index`: prove that the index and the database agree."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.models import KnowledgeState
from knowledge.passages import published_passages
from knowledge.snapshot import load_current


class Command(BaseCommand):
    help = "Compare the current index snapshot with the published knowledge base; exit status 1 when they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            snapshot = load_current(settings.INDEX_DIR, embedder.name)
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        if snapshot is None:
            raise CommandError("There is no index yet. Run `manage.py build_index`.")
        indexed = {passage.id: passage for passage in snapshot.passages}
        published = {passage.id: passage for passage in published_passages()}
        lines = [f"not indexed: {name}" for name in published.keys() - indexed.keys()]
        lines += [f"no longer published: {name}" for name in indexed.keys() - published.keys()]
        lines += [
            f"different text: {name}" for name in indexed.keys() & published.keys() if indexed[name] != published[name]
        ]
        lengths = np.linalg.norm(snapshot.vectors, axis=1)
        lines += [f"vector {row} is not of unit length" for row in np.flatnonzero(np.abs(lengths - 1) > 1e-3)]
        for line in sorted(lines):
            self.stdout.write(line)
        self.stdout.write(
            f"index = revision {snapshot.revision}, knowledge base = revision {KnowledgeState.current()}: "
            f"{len(published)} passages, {len(lines)} difference(s)"
        )
        if lines:
            sys.exit(1)
