"""`manage.py evaluate_followups`: how many follow-ups are taken for such, and answered by the right entry."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.followup import decide
from knowledge.keeper import open_searcher
from knowledge.subjects import Subjects

ROWS = Path(settings.BASE_DIR) / "tests" / "data" / "followups.jsonl"


class Command(BaseCommand):
    help = "Measure follow-ups on labelled messages (tests/data/followups.jsonl), per split."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--wrong", action="store_true", help="list what was not decided as labelled")

    def handle(self, *args: Any, **options: Any) -> None:
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            searcher = open_searcher(settings.INDEX_DIR, embedder)
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        subjects = Subjects(searcher.snapshot.passages, settings.CITY_NAME)
        counts: defaultdict[tuple[str, bool], list[int]] = defaultdict(lambda: [0, 0, 0])
        for line in ROWS.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            decision, about = decide(
                searcher, subjects, row["text"], row["lang"][:2], timezone.localdate(), about=row["about"]
            )
            got = decision.entry.entry if decision.entry else None
            taken = (about is not None) == row["refers"]
            right = got in row["entries"] if row["entries"] else got is None
            count = counts[row["split"], row["refers"]]
            count[:] = count[0] + 1, count[1] + taken, count[2] + right
            if options["wrong"] and not (taken and right):
                self.stdout.write(f"   {row['lang']} {row['text']} (after {row['about']}): {decision.outcome} {got}")
        for (split, refers), (total, taken, right) in sorted(counts.items()):
            kind = "follow-ups" if refers else "new topics"
            self.stdout.write(f"{split}: {kind}: {taken}/{total} taken for that, {right}/{total} answered as labelled")
