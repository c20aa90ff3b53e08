"""Measuring the search: labelled questions in, recall, precision and times out.

recall@k and MRR@10 are computed over questions that something answers; precision is the share of given answers that
are right, coverage the share of answerable questions that got a right answer, declined the share of unanswerable
ones that got none. A share of nothing is None: not measured.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from knowledge.labelled import Question, QuestionError, read_lines, read_questions
from knowledge.searcher import Decision, Hit, Searcher
from knowledge.snapshot import Snapshot
from nlu.languages import answer_order

__all__ = [
    "Asked", "Measures", "Question", "QuestionError", "ask", "decisions", "languages_of", "pair_of", "ranking",
    "read_lines", "read_questions", "report", "still_answered", "times",
]
TOP = 10
Languages = Mapping[str, Collection[str]]
Measures = dict[str, float | None]
# Told (how many are done, of how many).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Asked:
    """What the search did with a question of a pair of languages (None: nothing answers it); `correct` by its label."""

    question: Question
    pair: str | None
    decision: Decision
    dense: list[Hit]
    lexical: list[Hit]
    milliseconds: float

    @property
    def correct(self) -> bool:
        """Whether it was answered by what answers it, or by nothing when nothing does."""
        entry = self.decision.entry
        return entry.entry in self.question.relevant if entry else not self.question.relevant


def languages_of(snapshot: Snapshot, today: dt.date) -> dict[str, set[str]]:
    """Return the languages that each entry (each text of a corpus) can be shown in on a day."""
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for passage in snapshot.passages:
        if passage.valid(today):
            languages[passage.entry].add(passage.language)
    return dict(languages)


def pair_of(question: Question, languages: Languages) -> str | None:
    """Return `asker's->text's` language, None for a question that nothing answers.

    The text's is the one that the asker is to be shown of what answers: their own where there is one, else the first
    in the order that answers fall back in. What the search happens to find has no part in it.
    """
    written = {code for name in question.relevant for code in languages.get(name, ())}
    for code in (question.lang, *answer_order(question.lang), *sorted(written)):
        if code in written:
            return f"{question.lang}->{code}"
    return None


def still_answered(questions: Iterable[Question], languages: Languages) -> Iterator[Question]:
    """Yield the questions with labels reduced to what can be shown; one whose labels have all gone is left out.

    What nothing answers stays. A label on an entry that is withdrawn or expired says nothing about the search.
    """
    for question in questions:
        relevant = tuple(name for name in question.relevant if name in languages)
        if relevant or not question.relevant:
            yield replace(question, relevant=relevant)


def ask(
    searcher: Searcher, questions: Sequence[Question], today: dt.date, progress: Progress | None = None
) -> list[Asked]:
    """Ask every question of the product's own search, and each leg alone; only the first is timed."""
    languages = languages_of(searcher.snapshot, today)
    asked = []
    for number, question in enumerate(questions, 1):
        started = time.perf_counter()
        decision = searcher.search(question.text, question.lang, today, top_k=TOP)
        milliseconds = (time.perf_counter() - started) * 1000
        asked.append(
            Asked(
                question, pair_of(question, languages), decision,
                searcher.hits(question.text, today, TOP, language=question.lang, lexical=False),
                searcher.hits(question.text, today, TOP, language=question.lang, dense=False),
                milliseconds,
            )
        )
        if progress:
            progress(number, len(questions))
    return asked


def ranking(found: Iterable[tuple[Sequence[str], Question]]) -> Measures:
    """Return n (all questions), answerable, recall@1, recall@5 and MRR@10 from the names found for each, best first."""
    pairs = list(found)
    ranks = [
        next((rank for rank, name in enumerate(names[:TOP], 1) if name in question.relevant), None)
        for names, question in pairs if question.relevant
    ]
    count = len(ranks)
    return {
        "n": len(pairs),
        "answerable": count,
        "recall@1": _share(sum(rank == 1 for rank in ranks), count),
        "recall@5": _share(sum(rank is not None and rank <= 5 for rank in ranks), count),
        "mrr@10": _share(sum(1 / rank for rank in ranks if rank is not None), count),
    }


def decisions(asked: Sequence[Asked]) -> Measures:
    """Return precision, coverage and declined."""
    answered = [each for each in asked if each.decision.entry]
    right = sum(each.correct for each in answered)
    unanswerable = [each for each in asked if not each.question.relevant]
    return {
        "precision": _share(right, len(answered)),
        "coverage": _share(right, len(asked) - len(unanswerable)),
        "declined": _share(sum(each.decision.entry is None for each in unanswerable), len(unanswerable)),
    }


def times(milliseconds: Iterable[float]) -> Measures:
    """Return the median and the 95th percentile (nearest rank), in milliseconds."""
    ordered = sorted(milliseconds)
    if not ordered:
        return {"p50_ms": None, "p95_ms": None}
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 2),
    }


def report(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return everything that `manage.py evaluate` shows, as one object."""
    pairs: dict[str, list[Asked]] = defaultdict(list)
    languages: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        languages[each.question.lang].append(each)
        if each.pair:
            pairs[each.pair].append(each)
    by_pair = sorted(pairs.items())
    return {
        "overall": _measures(asked),
        "by_language": {name: _measures(rows) for name, rows in sorted(languages.items())},
        "by_pair": {name: _measures(rows) for name, rows in by_pair},
        "dense_only": _leg(asked, "dense") | {"by_pair": {name: _leg(rows, "dense") for name, rows in by_pair}},
        "lexical_only": _leg(asked, "lexical") | {"by_pair": {name: _leg(rows, "lexical") for name, rows in by_pair}},
    }


def _measures(rows: Sequence[Asked]) -> Measures:
    fused = ranking((_names(each.decision.hits), each.question) for each in rows)
    return fused | decisions(rows) | times(each.milliseconds for each in rows)


def _leg(rows: Sequence[Asked], leg: str) -> dict[str, Any]:
    return ranking((_names(getattr(each, leg)), each.question) for each in rows)


def _names(hits: Iterable[Hit]) -> list[str]:
    return [hit.entry for hit in hits]


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
