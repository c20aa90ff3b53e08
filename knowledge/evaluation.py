"""Measuring the search: labelled questions in, recall, precision and times out.

recall@k and MRR@10 are computed over questions that something answers; precision is the share of given answers that
are right, coverage the share of answerable questions that got a right answer, declined the share of unanswerable
ones that got none.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import KnowledgeError
from knowledge.searcher import Decision, Hit, Searcher


class QuestionError(KnowledgeError):
    """Labelled questions or a corpus that are not in form; lists every problem with file and line."""


@dataclass(frozen=True)
class Question:
    """A labelled question; an empty `relevant` says that nothing answers it."""

    id: str
    lang: str
    text: str
    relevant: tuple[str, ...]
    split: str = "test"


@dataclass(frozen=True)
class Asked:
    """What the search did with a question."""

    question: Question
    decision: Decision
    dense: list[Hit]
    lexical: list[Hit]
    milliseconds: float


def read_lines(file: Path, required: Sequence[str]) -> list[tuple[int, dict[str, Any]]]:
    """Return the objects of a JSON-lines file with their line numbers; raises QuestionError."""
    problems: list[str] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    seen: dict[str, int] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{file}: cannot be read ({error}). Give a UTF-8 file of JSON lines.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            missing = [key for key in required if key not in row]
        except (ValueError, TypeError, RecursionError) as error:
            problems.append(f"{file}:{number}: not a JSON object ({error}); one object a line")
            continue
        if not isinstance(row, dict) or missing:
            problems.append(f"{file}:{number}: {', '.join(missing) or 'mapping'} missing")
        elif row["id"] in seen:
            problems.append(f"{file}:{number}: id {row['id']!r} stands in line {seen[row['id']]} already")
        else:
            seen[row["id"]] = number
            rows.append((number, row))
    if problems:
        raise QuestionError("\n".join(problems))
    return rows


def read_questions(files: Iterable[Path]) -> list[Question]:
    """Return the labelled questions of some files; raises QuestionError."""
    questions = []
    for file in files:
        for _, row in read_lines(file, ("id", "lang", "text", "relevant")):
            questions.append(
                Question(row["id"], row["lang"], row["text"], tuple(row["relevant"]), row.get("split", "test"))
            )
    return questions


def ask(searcher: Searcher, questions: Iterable[Question], today: dt.date) -> list[Asked]:
    """Ask every question of the product's own search, and each leg alone."""
    asked = []
    for question in questions:
        started = time.perf_counter()
        decision = searcher.search(question.text, question.lang, today, top_k=10)
        milliseconds = (time.perf_counter() - started) * 1000
        asked.append(
            Asked(
                question, decision,
                searcher.hits(question.text, today, 10, language=question.lang, lexical=False),
                searcher.hits(question.text, today, 10, language=question.lang, dense=False),
                milliseconds,
            )
        )
    return asked


def ranking(hits: Iterable[tuple[Sequence[Hit], Question]]) -> dict[str, float]:
    """Return n, recall@1, recall@5 and MRR@10 over the answerable questions."""
    ranks = []
    for found, question in hits:
        if question.relevant:
            ranks.append(next((n for n, hit in enumerate(found, 1) if hit.entry in question.relevant), None))
    count = len(ranks)
    return {
        "n": count,
        "recall@1": _share(sum(rank == 1 for rank in ranks), count),
        "recall@5": _share(sum(rank is not None and rank <= 5 for rank in ranks), count),
        "mrr@10": _share(sum(1 / rank for rank in ranks if rank is not None and rank <= 10), count),
    }


def decisions(asked: Sequence[Asked]) -> dict[str, float]:
    """Return precision, coverage and declined."""
    answered = [each for each in asked if each.decision.entry]
    right = [each for each in answered if each.decision.entry.entry in each.question.relevant]
    answerable = [each for each in asked if each.question.relevant]
    unanswerable = [each for each in asked if not each.question.relevant]
    return {
        "precision": _share(len(right), len(answered)),
        "coverage": _share(len(right), len(answerable)),
        "declined": _share(sum(each.decision.outcome != "answered" for each in unanswerable), len(unanswerable)),
    }


def report(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return everything that `manage.py evaluate` shows, as one object."""
    times = sorted(each.milliseconds for each in asked) or [0.0]
    pairs: dict[str, list[Asked]] = defaultdict(list)
    languages: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        languages[each.question.lang].append(each)
        if each.question.relevant:
            hit = next((h for h in each.decision.hits if h.entry in each.question.relevant), None)
            pairs[f"{each.question.lang}->{hit.language if hit else '?'}"].append(each)
    fused = [(each.decision.hits, each.question) for each in asked]
    return {
        "overall": {
            **ranking(fused), **decisions(asked),
            "p50_ms": round(statistics.median(times), 2), "p95_ms": round(times[int(len(times) * 0.95) - 1], 2),
        },
        "by_language": {
            name: {**ranking((e.decision.hits, e.question) for e in rows), **decisions(rows)}
            for name, rows in sorted(languages.items())
        },
        "by_pair": {
            name: ranking((each.decision.hits, each.question) for each in rows) for name, rows in sorted(pairs.items())
        },
        "dense_only": ranking((each.dense, each.question) for each in asked),
        "lexical_only": ranking((each.lexical, each.question) for each in asked),
    }


def _share(part: float, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
