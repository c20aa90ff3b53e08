"""`manage.py search "…"`: what the search finds, with scores, and the answer a reader would get."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from knowledge.answers import load_answer
from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.keeper import open_searcher
from nlu.language import choose_language
from nlu.languages import CODES
from nlu.text import clean


class Command(BaseCommand):
    help = "Search the knowledge base for a question and show the decision."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("question")
        parser.add_argument("--language", choices=CODES, help="the asker's language (default: found out)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        question = clean(options["question"])
        if question.empty:
            raise CommandError("The question holds no letter or digit; type a few words.")
        language = options["language"] or choose_language(question.text)
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            searcher = open_searcher(settings.INDEX_DIR, embedder)
            decision = searcher.search(question.text, language, timezone.localdate())
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            hits = [hit.as_json() for hit in decision.hits]
            self.stdout.write(json.dumps(
                {"outcome": decision.outcome, "score": decision.score, "language": language, "near": hits},
                ensure_ascii=False,
            ))
            return
        self._show(decision, language)

    @staticmethod
    def _show(decision: Any, language: str) -> None:
        console = Console()
        console.print(f"[bold]{decision.outcome}[/]  probability {decision.score:.3f}, asked in {language}")
        table = Table("entry", "found in", "question", "score", "dense", "lexical")
        for hit in decision.hits:
            table.add_row(
                hit.entry, hit.language, hit.question, f"{hit.score:.3f}", f"{hit.dense:.3f}", f"{hit.lexical:.2f}"
            )
        console.print(table)
        if decision.entry and (answer := load_answer(decision.entry.entry, language)):
            console.print(answer.text, markup=False)
            source = f"{answer.source['title']} <{answer.source['url']}>" if answer.source else "-"
            console.print(f"{source}, checked on {answer.verified_on}, in {answer.language}", style="dim", markup=False)
