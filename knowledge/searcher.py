"""Hybrid search and the decision whether the best entry answers the question at all.

Each passage gets a dense score (cosine) and a lexical one (BM25); both are scaled to the question and added.
An entry counts as its best passage, in whatever language. The decision is a logistic regression on a handful of
features of the best entry, calibrated per model on labelled questions (`manage.py calibrate`): the cosines of e5 lie
between 0.7 and 0.95 whatever is asked, so no raw threshold will do (lessons S1).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embedder import Embedder
from knowledge.errors import NotCalibrated
from knowledge.indexes import DenseIndex, LexicalIndex
from knowledge.snapshot import Snapshot

CALIBRATION = Path(__file__).resolve().parent / "calibration.json"
# What a passage's kind is worth: a question asked the same way beats a word that stands somewhere in an answer.
KIND_WEIGHT = {"question": 1.0, "names": 0.97, "answer": 0.97}
LEXICAL_WEIGHT = 0.5
FEATURES = ("dense", "margin", "lexical", "coverage", "same_language", "short")


@dataclass(frozen=True)
class Hit:
    """An entry that was found, through its best passage; `score` is the fused score (0 to 1 + LEXICAL_WEIGHT)."""

    entry: str
    language: str
    question: str
    score: float
    dense: float
    lexical: float
    row: int = field(repr=False, default=-1)

    def as_json(self) -> dict[str, Any]:
        """Return the hit as the search service shows it."""
        data = asdict(self)
        data.pop("row")
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in data.items()}


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


class Searcher:
    """Searches one snapshot; shared between threads, never changed."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder, calibration: Calibration | None) -> None:
        self.snapshot = snapshot
        self.embedder = embedder
        self.calibration = calibration
        self._dense = DenseIndex(snapshot.vectors)
        self._lexical = LexicalIndex([passage.text for passage in snapshot.passages])
        self._weights = np.array([KIND_WEIGHT[passage.kind] for passage in snapshot.passages], np.float32)
        # Expiry needs no new snapshot: what is out of its dates today is not found.
        self._dated = [row for row, p in enumerate(snapshot.passages) if p.valid_from or p.valid_until]

    def hits(self, question: str, today: dt.date, top_k: int = 5, *, dense: bool = True, lexical: bool = True) -> list[Hit]:
        """Return the best entries, best first; each leg can be left out to see what the other finds."""
        passages = self.snapshot.passages
        if not passages:
            return []
        cosine = self._dense.scores(self.embedder.embed_query(question))
        words = self._lexical.scores(question)
        top = float(words.max())
        fused = np.zeros(len(passages), np.float32)
        if dense:
            fused += _stretch(cosine)
        if lexical and top > 0:
            fused += (LEXICAL_WEIGHT if dense else 1.0) * words / top
        fused *= self._weights
        for row in self._dated:
            if not passages[row].valid(today):
                fused[row] = -1.0
        found: list[Hit] = []
        seen: set[str] = set()
        for row in np.argsort(-fused, kind="stable"):
            passage = passages[row]
            if passage.entry in seen:
                continue
            if fused[row] <= 0 or len(found) == top_k:
                break
            seen.add(passage.entry)
            found.append(
                Hit(passage.entry, passage.language, passage.question, float(fused[row]), float(cosine[row]),
                    float(words[row] / top) if top > 0 else 0.0, int(row))
            )
        return found

    def features(self, question: str, language: str, hits: list[Hit]) -> dict[str, float]:
        """Return what the decision looks at, for the best of `hits`."""
        best = hits[0]
        runner_up = hits[1].score if len(hits) > 1 else 0.0
        return {
            "dense": (best.dense - 0.85) * 10,
            "margin": (best.score - runner_up) * 5,
            "lexical": best.lexical,
            "coverage": self._lexical.coverage(question, best.row),
            "same_language": float(best.language == language),
            "short": float(len(question) < 12),
        }

    def search(self, question: str, language: str, today: dt.date, top_k: int = 5) -> Decision:
        """Return the decision on a question; raises NotCalibrated for a model without numbers."""
        if self.calibration is None:
            self.calibration = Calibration.read(self.embedder.name)
        hits = self.hits(question, today, max(top_k, 2))
        if not hits:
            return Decision("not_known", 0.0, ())
        score = self.calibration.probability(self.features(question, language, hits))
        if score >= self.calibration.answer_from:
            outcome = "answered"
        elif score >= self.calibration.clarify_from:
            outcome = "clarify"
        else:
            outcome = "not_known"
        return Decision(outcome, score, tuple(hits[:top_k]))


def _stretch(cosine: np.ndarray) -> np.ndarray:
    """Spread e5's narrow band of cosines over 0 to 1 for this question: the best is 1, the average passage 0."""
    top, mean = float(cosine.max()), float(cosine.mean())
    return np.clip((cosine - mean) / max(top - mean, 1e-6), 0.0, 1.0)
