"""`manage.py evaluate CORPUS QUERIES [--json]` and `manage.py evaluate --knowledge [QUERIES …]`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from knowledge import cases
from knowledge.embedder import Embedder, SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.evaluation import Asked, Question, ask, languages_of, read_questions, report, still_answered
from knowledge.keeper import geometry_of, open_searcher
from knowledge.labelled import Text, read_evaluation
from knowledge.passages import Passage
from knowledge.searcher import Searcher
from knowledge.snapshot import Snapshot, encode

QUESTIONS = settings.BASE_DIR / "tests" / "data" / "questions"
# Heads on two lines fit all columns into 80 characters; where it is narrower nothing is cut, the terminal wraps.
COLUMNS = {
    "n": "n", "recall@1": "recall\n@1", "recall@5": "recall\n@5", "mrr@10": "MRR\n@10", "precision": "precision",
    "coverage": "coverage", "declined": "declined", "p50_ms": "p50\nms", "p95_ms": "p95\nms",
}
WIDTH = 80


class Command(BaseCommand):
    help = (
        "Measure the product's own search: on an index made from a corpus, or with --knowledge on the live knowledge "
        "base. recall and MRR count questions that something answers; a pair is the asker's language and that of the "
        "text to be shown."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE",
            help='CORPUS.jsonl, lines {"id", "lang", "title"?, "text"}, and QUERIES.jsonl, lines {"id", "lang", '
            '"text", "relevant": [ids]} ([]: nothing answers it). With --knowledge only queries, whose ids are '
            "entries; without any, our own labelled questions.",
        )
        parser.add_argument("--knowledge", action="store_true", help="evaluate the live knowledge base")
        splits = ["train", "tune", "test", "all"]
        parser.add_argument("--split", choices=splits, default="test", help="of our own questions")
        parser.add_argument("--ids", metavar="PREFIX", default="", help="only questions whose id begins so (fresh-)")
        parser.add_argument("--failures", action="store_true", help="list the questions that went wrong")
        parser.add_argument("--json", action="store_true", help="print one object")

    def handle(self, *args: Any, **options: Any) -> None:
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            searcher, questions = (self._knowledge if options["knowledge"] else self._corpus)(embedder, options)
            embedder.warm_up()  # the first question is to take as long as the others
            with _progress("asking") as told:
                asked = ask(searcher, questions, timezone.localdate(), told)
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        result = report(asked)
        wrong = [each for each in asked if not each.correct] if options["failures"] else []
        if options["json"]:
            failures = {"failures": [_failure(each) for each in wrong]} if options["failures"] else {}
            self.stdout.write(json.dumps(result | failures, ensure_ascii=False))
            return
        self._show(result)
        for each in wrong:
            self.stdout.write("{id} {outcome} {score:.2f} {text!r} → {found} (wanted {wanted})".format(
                **_failure(each) | {"wanted": ", ".join(each.question.relevant) or "nothing"}
            ))

    def _knowledge(self, embedder: Embedder, options: dict[str, Any]) -> tuple[Searcher, list[Question]]:
        labelled = read_questions(options["files"] or sorted(QUESTIONS.glob("*.jsonl")))
        if not options["files"]:
            labelled = [each for each in labelled if options["split"] in (each.split, "all")]
            labelled += cases.labelled()  # editors' own; they are not tuned on
        labelled = _chosen(labelled, options)
        searcher = open_searcher(settings.INDEX_DIR, embedder)
        shown = languages_of(searcher.snapshot, timezone.localdate())
        questions = list(still_answered(labelled, shown))
        if gone := len(labelled) - len(questions):
            missing = sorted({name for each in labelled for name in each.relevant} - shown.keys())
            self.stderr.write(
                f"Questions left out, for what answers them is not published now: {gone} ({', '.join(missing[:10])}"
                f"{' …' if len(missing) > 10 else ''}).", self.style.WARNING,
            )
        if not questions:
            raise CommandError("Nothing that these questions are about is published. Run `manage.py import_content`?")
        return searcher, questions

    def _corpus(self, embedder: Embedder, options: dict[str, Any]) -> tuple[Searcher, list[Question]]:
        if len(options["files"]) != 2:
            raise CommandError("Give CORPUS.jsonl and QUERIES.jsonl, or --knowledge.")
        corpus, queries = options["files"]
        texts, questions, absent = read_evaluation(corpus, queries)
        if absent:
            self.stderr.write(
                f"Questions that name texts not in {corpus} beside ones that are: {len(absent)} (first: {queries}:"
                f"{absent[0]}). Only those that are in it count.", self.style.WARNING,
            )
        questions = _chosen(questions, options)
        geometry = geometry_of(embedder)
        passages = passages_of(texts)
        with _progress("encoding") as told:
            arrays = encode(passages, embedder, None, geometry, told)
        return Searcher(Snapshot(0, embedder.name, passages, *arrays, geometry.digest), embedder), questions

    def _show(self, result: dict[str, Any]) -> None:
        rows = {
            "overall": result["overall"], **result["by_language"], **result["by_pair"],
            "dense only": result["dense_only"], "lexical only": result["lexical_only"],
        }
        table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)
        table.add_column("", no_wrap=True)
        for head in COLUMNS.values():
            table.add_column(head, justify="right", no_wrap=True, vertical="bottom")
        for name, row in rows.items():
            table.add_row(name, *(_cell(name, row.get(name)) if name in row else "" for name in COLUMNS))
        console = Console(file=self.stdout)
        console.width = max(console.width, WIDTH)
        console.print(table)
        overall = result["overall"]
        self.stdout.write(
            f"{overall['n']} questions, {overall['answerable']} with an answer: recall, MRR and pairs are of those."
        )


def passages_of(texts: Sequence[Text]) -> tuple[Passage, ...]:
    """Return each text of a corpus as the one passage of an entry with its id."""
    return tuple(Passage(f"{each.id}/0", each.id, each.lang, "answer", each.text, each.title) for each in texts)


def _chosen(questions: list[Question], options: dict[str, Any]) -> list[Question]:
    chosen = [each for each in questions if each.id.startswith(options["ids"])]
    if not chosen:
        raise CommandError(
            f"None of {len(questions)} questions has an id that begins with {options['ids']!r}." if questions
            else f"There are no questions of the split {options['split']!r} in {QUESTIONS}."
        )
    return chosen


def _failure(asked: Asked) -> dict[str, Any]:
    hits = asked.decision.hits
    return {
        "id": asked.question.id, "text": asked.question.text, "outcome": asked.decision.outcome,
        "score": round(asked.decision.score, 4), "found": hits[0].entry if hits else None,
        "wanted": list(asked.question.relevant),
    }


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return "–"
    if column == "n":
        return str(value)
    return f"{value:.1f}" if column.endswith("_ms") else f"{value:.3f}"


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something is on a terminal's stderr; nothing of it stays, and nothing shows elsewhere."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
