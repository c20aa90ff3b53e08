"""`manage.py check_content [FOLDER]`: what is to be looked at in content files, or in the live knowledge base."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from knowledge.content_files import read_folder
from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.importer import export_entries
from knowledge.keeper import geometry_of
from knowledge.quality.findings import RULES, Finding
from knowledge.quality.pairs import contradictions
from knowledge.quality.research import read_research, weak_facts
from knowledge.quality.rules import check_entry
from knowledge.quality.vectors import duplicates_among


class Command(BaseCommand):
    help = "Check content: sources, dates, languages, lengths, numbers, phones, links, near-duplicates, weak facts."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=settings.BASE_DIR / "knowledge" / "content")
        parser.add_argument("--live", action="store_true", help="check the database instead of files")
        parser.add_argument("--today", type=dt.date.fromisoformat, default=None, metavar="YYYY-MM-DD")
        parser.add_argument("--quick", action="store_true", help="without near-duplicates, which need the model")

    def handle(self, *args: Any, **options: Any) -> None:
        today = options["today"] or timezone.localdate()
        try:
            entries = [*export_entries()] if options["live"] else read_folder(options["folder"])[1]
            found = [each for entry in entries for each in check_entry(entry, today)]
            found += contradictions(entries)
            register = options["folder"] / "research.csv"
            if register.exists() and not options["live"]:
                found += weak_facts(entries, read_research(register))
            if not options["quick"]:
                embedder = SentenceTransformerEmbedder(settings.MODEL)
                found += duplicates_among(entries, embedder, geometry_of(embedder))
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        self._show(len(entries), found)

    def _show(self, entries: int, found: list[Finding]) -> None:
        for each in sorted(found, key=lambda each: (not each.blocks, each)):
            self.stdout.write(f"{'ERROR ' if each.blocks else 'look at'} {each}")
        counts = Counter(each.rule for each in found)
        for rule, number in counts.most_common():
            self.stdout.write(f"→ {number:4d}  {RULES[rule].title}")
        errors = sum(each.blocks for each in found)
        if errors:
            raise CommandError(f"{entries} entries: {errors} error(s), {len(found) - errors} to look at")
        self.stdout.write(f"→ {entries} entries: no error, {len(found)} to look at")
