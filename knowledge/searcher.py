"""Hybrid search and the decision whether the best entry answers the question at all.

Each passage gets a dense score (cosine) and a lexical one (BM25), both scaled to the question. An entry counts as the
mean of its three best dense scores, in whatever languages, plus its best lexical one: a single passage that happens to
lie near everything no longer wins (recall@1 0.64 → 0.73 on our questions, against the best passage alone).

The decision is a logistic regression on a handful of features of the best entry, calibrated per model on labelled
questions (`manage.py calibrate`): the cosines of e5 lie between 0.7 and 0.95 whatever is asked, so no raw threshold
will do (lessons S1).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.embedder import Embedder
from knowledge.errors import NotCalibrated
from knowledge.indexes import DenseIndex, LexicalIndex
from knowledge.snapshot import Snapshot

CALIBRATION = Path(__file__).resolve().parent / "calibration.json"
BEST = 3
LEXICAL_WEIGHT = 0.3
NEAREST = 10
FEATURES = ("dense", "dense_mean", "margin", "dense_margin", "lexical", "coverage", "agreement", "among_nearest")
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """An entry that was found; `score` is the fused score (0 to 1 + LEXICAL_WEIGHT), the texts its best passage's."""

    entry: str
    language: str
    question: str
    score: float
    dense: float
    lexical: float

    def as_json(self) -> dict[str, Any]:
        """Return the hit as the search service shows it."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Decision:
    """How a question ended: answered by an entry, to be clarified, or not known; `score` is a probability."""

    outcome: str
    score: float
    hits: tuple[Hit, ...]

    @property
    def entry(self) -> Hit | None:
        """Return the entry that answers, if one does."""
        return self.hits[0] if self.outcome == "answered" else None


@dataclass(frozen=True)
class Calibration:
    """The decision's numbers for one model: weights of FEATURES, and from which probability on to answer or ask."""

    model: str
    weights: tuple[float, ...]
    bias: float
    answer_from: float
    clarify_from: float

    @classmethod
    def read(cls, model: str, file: Path = CALIBRATION) -> Calibration:
        """Return the numbers for a model; raises NotCalibrated."""
        table = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if model not in table:
            raise NotCalibrated(
                f"The decision is not calibrated for the model {model!r} (calibrated: {sorted(table) or 'none'}). "
                "Run `manage.py calibrate` with labelled questions of your knowledge base."
            )
        row = table[model]
        return cls(model, tuple(row["weights"][name] for name in FEATURES), row["bias"], row["answer_from"],
                   row["clarify_from"])

    def probability(self, features: dict[str, float]) -> float:
        """Return the probability that the best entry answers."""
        total = self.bias + sum(w * features[name] for w, name in zip(self.weights, FEATURES, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True)
class Scores:
    """What the two legs say of a question: arrays over passages (cosine, words) and over entries (the rest)."""

    cosine: FloatArray
    words: FloatArray
    dense: FloatArray
    dense_mean: FloatArray
    lexical: FloatArray
    fused: FloatArray


class Searcher:
    """Searches one snapshot; shared between threads, never changed."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder, calibration: Calibration | None) -> None:
        self.snapshot = snapshot
        self.embedder = embedder
        self.calibration = calibration
        self._dense = DenseIndex(snapshot.vectors)
        self._lexical = LexicalIndex([passage.text for passage in snapshot.passages])
        self.entries = list(dict.fromkeys(passage.entry for passage in snapshot.passages))
        numbers = {entry: number for number, entry in enumerate(self.entries)}
        self._entry_of = np.array([numbers[passage.entry] for passage in snapshot.passages], np.int64)
        # Expiry needs no new snapshot: what is out of its dates today is not found.
        self._dated = [row for row, p in enumerate(snapshot.passages) if p.valid_from or p.valid_until]

    def hits(self, question: str, today: dt.date, top_k: int = 5, *, dense: bool = True, lexical: bool = True) -> list[Hit]:
        """Return the best entries, best first; each leg can be left out to see what the other finds."""
        if not self.entries:
            return []
        return self._hits(self._score(question, today, dense=dense, lexical=lexical), top_k)

    def search(self, question: str, language: str, today: dt.date, top_k: int = 5) -> Decision:
        """Return the decision on a question asked in `language`; raises NotCalibrated for a model without numbers."""
        if self.calibration is None:
            self.calibration = Calibration.read(self.embedder.name)
        if not self.entries:
            return Decision("not_known", 0.0, ())
        scores = self._score(question, today)
        hits = self._hits(scores, top_k)
        if not hits:
            return Decision("not_known", 0.0, ())
        score = self.calibration.probability(self._features(question, scores))
        if score >= self.calibration.answer_from:
            outcome = "answered"
        elif score >= self.calibration.clarify_from:
            outcome = "clarify"
        else:
            outcome = "not_known"
        return Decision(outcome, score, tuple(hits))

    def features(self, question: str, today: dt.date) -> tuple[str, dict[str, float]]:
        """Return the best entry and what the decision looks at."""
        scores = self._score(question, today)
        return self.entries[int(scores.fused.argmax())], self._features(question, scores)

    def _score(self, question: str, today: dt.date, *, dense: bool = True, lexical: bool = True) -> Scores:
        cosine = self._dense.scores(self.embedder.embed_query(question))
        words = self._lexical.scores(question)
        words = words / max(float(words.max()), 1e-6)
        lexical_best = self._best(words, 1)
        fused = np.zeros(len(self.entries), np.float32)
        if dense:
            fused += self._best(_stretch(cosine), BEST)
        if lexical:
            fused += (LEXICAL_WEIGHT if dense else 1.0) * lexical_best
        for row in self._dated:
            if not self.snapshot.passages[row].valid(today):
                fused[self._entry_of[row]] = -1.0
        return Scores(cosine, words, self._best(cosine, 1), self._best(cosine, BEST), lexical_best, fused)

    def _best(self, scores: FloatArray, count: int) -> FloatArray:
        """Return the mean of every entry's `count` best passages (of all it has, if fewer): shape (entries,)."""
        order = np.lexsort((-scores, self._entry_of))
        owners = self._entry_of[order]
        first = np.searchsorted(owners, np.arange(len(self.entries)))
        kept = order[np.arange(len(order)) - first[owners] < count]
        owners = self._entry_of[kept]
        sums = np.bincount(owners, weights=scores[kept], minlength=len(self.entries))
        return (sums / np.bincount(owners, minlength=len(self.entries))).astype(np.float32)

    def _hits(self, scores: Scores, top_k: int) -> list[Hit]:
        together = _stretch(scores.cosine) + scores.words
        found = []
        for number in np.argsort(-scores.fused, kind="stable")[:top_k]:
            if scores.fused[number] <= 0:
                break
            rows = np.flatnonzero(self._entry_of == number)
            passage = self.snapshot.passages[rows[together[rows].argmax()]]
            found.append(
                Hit(passage.entry, passage.language, passage.question, float(scores.fused[number]),
                    float(scores.dense[number]), float(scores.lexical[number]))
            )
        return found

    def _features(self, question: str, scores: Scores) -> dict[str, float]:
        best = int(scores.fused.argmax())
        rows = np.flatnonzero(self._entry_of == best)
        nearest = np.argsort(-scores.cosine)[:NEAREST]
        return {
            "dense": (float(scores.dense[best]) - 0.85) * 10,
            "dense_mean": (float(scores.dense_mean[best]) - 0.85) * 10,
            "margin": _margin(scores.fused) * 5,
            "dense_margin": _margin(scores.dense_mean) * 20,
            "lexical": float(scores.lexical[best]),
            "coverage": self._lexical.coverage(question, int(rows[scores.words[rows].argmax()])),
            "agreement": float(scores.lexical.argmax() == best and scores.lexical[best] > 0),
            "among_nearest": float((self._entry_of[nearest] == best).mean()),
        }


def _margin(scores: FloatArray) -> float:
    """Return how far the best score is ahead of the second."""
    best = np.partition(scores, -2)[-2:] if len(scores) > 1 else np.array([0.0, scores[0]])
    return float(best[1] - best[0])


def _stretch(cosine: FloatArray) -> FloatArray:
    """Spread e5's narrow band of cosines over 0 to 1 for this question: the best is 1, the average passage 0."""
    top, mean = float(cosine.max()), float(cosine.mean())
    return np.clip((cosine - mean) / max(top - mean, 1e-6), 0.0, 1.0)
