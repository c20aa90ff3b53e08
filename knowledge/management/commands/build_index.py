"""`manage.py build_index`."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.keeper import Keeper, build


class Command(BaseCommand):
    help = "Build an index snapshot of what is published; only changed passages are encoded."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--fresh", action="store_true", help="encode everything again")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            known = None if options["fresh"] else Keeper(settings.INDEX_DIR, embedder, 1).load()
            snapshot = build(settings.INDEX_DIR, embedder, known, self._progress)
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        seconds = time.perf_counter() - started
        self.stdout.write(f"→ index: revision {snapshot.revision}, {len(snapshot.passages)} passages, {seconds:.1f} s")

    def _progress(self, done: int, total: int) -> None:
        self.stdout.write(f"   encoded {done} of {total} passages")
