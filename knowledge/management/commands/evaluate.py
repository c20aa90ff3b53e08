"""`manage.py evaluate CORPUS QUERIES [--json]` and `manage.py evaluate --knowledge`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.evaluation import QuestionError, ask, read_lines, read_questions, report
from knowledge.keeper import geometry_of, open_searcher
from knowledge.passages import Passage
from knowledge.searcher import Searcher
from knowledge.snapshot import Snapshot, encode
from nlu.text import clean

QUESTIONS = settings.BASE_DIR / "tests" / "data" / "questions"
COLUMNS = ("n", "recall@1", "recall@5", "mrr@10", "precision", "coverage", "declined")


class Command(BaseCommand):
    help = "Measure the product's own search on a corpus and labelled queries, or on the live knowledge base."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("corpus", nargs="?", type=Path, help='lines {"id", "lang", "title"?, "text"}')
        parser.add_argument("queries", nargs="?", type=Path, help='lines {"id", "lang", "text", "relevant": [ids]}')
        parser.add_argument("--knowledge", action="store_true", help="the live knowledge base, our labelled questions")
        parser.add_argument("--split", choices=["tune", "test", "all"], default="test", help="of our own questions")
        parser.add_argument("--failures", action="store_true", help="list the questions that went wrong")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["knowledge"] and not (options["corpus"] and options["queries"]):
            raise CommandError("Give CORPUS.jsonl and QUERIES.jsonl, or --knowledge.")
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            if options["knowledge"]:
                searcher = open_searcher(settings.INDEX_DIR, embedder)
                questions = read_questions(sorted(QUESTIONS.glob("*.jsonl")))
                questions = [each for each in questions if options["split"] in (each.split, "all")]
            else:
                searcher = Searcher(self._corpus(options["corpus"], embedder), embedder)
                questions = read_questions([options["queries"]])
            asked = ask(searcher, questions, timezone.localdate())
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        result = report(asked)
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self._show(result)
        if options["failures"]:
            self._failures(asked)

    @staticmethod
    def _corpus(file: Path, embedder: Any) -> Snapshot:
        passages = []
        for number, row in read_lines(file, ("id", "lang", "text")):
            text = clean(f"{row.get('title') or ''} {row['text']}", 20_000)
            if text.empty:
                raise QuestionError(f"{file}:{number}: text of {row['id']!r} holds no letter or digit")
            name = str(row["id"])
            passages.append(Passage(f"{name}/0", name, row["lang"], "answer", text.text, row.get("title") or ""))
        if not passages:
            raise QuestionError(f"{file}: holds no passage")
        geometry = geometry_of(embedder)
        return Snapshot(
            0, embedder.name, tuple(passages), *encode(passages, embedder, None, geometry), geometry.digest
        )

    @staticmethod
    def _show(result: dict[str, Any]) -> None:
        table = Table("", *COLUMNS)
        rows = {"overall": result["overall"], **result["by_language"], "dense only": result["dense_only"],
                "lexical only": result["lexical_only"], **result["by_pair"]}
        for name, row in rows.items():
            table.add_row(name, *(_cell(row.get(column)) for column in COLUMNS))
        console = Console()
        console.print(table)
        overall = result["overall"]
        console.print(f"search p50 {overall['p50_ms']} ms, p95 {overall['p95_ms']} ms")

    def _failures(self, asked: Any) -> None:
        for each in asked:
            best = each.decision.hits[0] if each.decision.hits else None
            right = best is not None and best.entry in each.question.relevant
            if (each.decision.outcome == "answered") != bool(each.question.relevant) or (
                each.decision.outcome == "answered" and not right
            ):
                self.stdout.write(
                    f"{each.question.id} {each.decision.outcome} {each.decision.score:.2f} {each.question.text!r} → "
                    f"{best.entry if best else None} (wanted {', '.join(each.question.relevant) or 'nothing'})"
                )


def _cell(value: float | None) -> str:
    return "" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
