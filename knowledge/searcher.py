"""Hybrid search and the decision whether the best entry answers the question at all.

An entry is found through all its passages in all its languages. The dense leg asks how far its best passage lies
above the average of that passage's language (`dense.ByLanguage`), the best one anywhere and the mean over the
languages together; the lexical leg which words and concepts of the question the entry holds. Vietnamese typed without
diacritics is embedded with its diacritics restored; the lexical leg compares what was typed.

The decision is a logistic regression on a handful of features of the best entry, calibrated per model on labelled
questions (`manage.py calibrate`): the cosines of e5 lie between 0.7 and 0.95 whatever is asked, so no raw threshold
will do (lessons S1).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.calibration import CALIBRATION, FEATURES, Calibration
from knowledge.dense import ByLanguage, DenseIndex
from knowledge.embedder import Embedder
from knowledge.groups import NOWHERE, Groups
from knowledge.lexical import LexicalIndex, LexicalScores
from knowledge.restore import Restorer, lacks_diacritics
from knowledge.snapshot import Snapshot

__all__ = ["CALIBRATION", "FEATURES", "Calibration", "Decision", "Hit", "Searcher"]
FloatArray = npt.NDArray[np.float32]
# Weights of the fused score, in standard deviations of the dense leg; chosen on the questions of the split 'tune'.
ANSWERS, WORDS, EVIDENCE = 0.5, 3.0, 0.75
# How far an entry can be ahead of the next before it makes no difference.
FAR_AHEAD = 3.0
NEAREST = 10


@dataclass(frozen=True)
class Hit:
    """An entry that was found, by its best passage; `score` is the probability that it answers (in `hits`: fused)."""

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
class Scores:
    """What the legs say of a question: arrays over passages (`cosine`, `spread`), over entries the rest.

    `nearest` holds the entries of the nearest passages.
    """

    language: str
    cosine: FloatArray
    spread: FloatArray
    best: FloatArray
    above: FloatArray
    lexical: LexicalScores
    passage: FloatArray
    nearest: npt.NDArray[np.int64]
    fused: FloatArray
    first_two: tuple[float, float]


class Searcher:
    """Searches one snapshot; shared between threads, never changed."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder, calibration: Calibration | None) -> None:
        self.snapshot = snapshot
        self.embedder = embedder
        self.calibration = calibration
        passages = snapshot.passages
        self._dense = DenseIndex(snapshot.vectors)
        self._by_language = ByLanguage([passage.language for passage in passages])
        self._groups = Groups(passages)
        self._owners = np.array(self._groups.owners, np.int64)
        self._lexical = LexicalIndex(
            [passage.text for passage in passages], self._groups.owners, [each.kind == "question" for each in passages]
        )
        self._restorer = Restorer(passage.text for passage in passages if passage.language == "vi")
        self._expired: tuple[dt.date, list[int]] | None = None

    def hits(
        self,
        question: str,
        today: dt.date,
        top_k: int = 5,
        *,
        language: str = "",
        dense: bool = True,
        lexical: bool = True,
    ) -> list[Hit]:
        """Return the best entries, best first; each leg can be left out to see what the other finds."""
        if not self.snapshot.passages:
            return []
        scores = self._score(question, language, today, dense=dense, lexical=lexical)
        return [self._hit(entry, scores) for entry in self._best(scores, top_k)]

    def search(self, question: str, language: str, today: dt.date, top_k: int = 5) -> Decision:
        """Return the decision on a question asked in `language`; raises NotCalibrated for a model without numbers."""
        if self.calibration is None:
            self.calibration = Calibration.read(self.embedder.name)
        if not self.snapshot.passages:
            return Decision("not_known", 0.0, ())
        scores = self._score(question, language, today)
        hits = []
        for entry in self._best(scores, top_k):
            probability = self.calibration.probability(self._features(entry, scores))
            hits.append(replace(self._hit(entry, scores), score=probability))
        if not hits:
            return Decision("not_known", 0.0, ())
        return Decision(self.calibration.outcome(hits[0].score), hits[0].score, tuple(hits))

    def features(self, question: str, language: str, today: dt.date) -> tuple[str, dict[str, float]]:
        """Return the best entry and what the decision looks at."""
        scores = self._score(question, language, today)
        best = int(scores.fused.argmax())
        return self._groups.entries[best], self._features(best, scores)

    def _score(
        self, question: str, language: str, today: dt.date, *, dense: bool = True, lexical: bool = True
    ) -> Scores:
        typed = question
        if language == "vi" and lacks_diacritics(question):
            question = self._restorer.restore(question) or question
        cosine = self._dense.scores(self.embedder.embed_query(question))
        spread, above = self._by_language.standardise(cosine)
        best, mean, answers = self._groups.over_languages(spread)
        shared = self._lexical.scores(typed)
        passage = self._groups.best(shared.passages)
        fused = np.zeros(len(self._groups.entries), np.float32)
        if dense:
            fused += best + mean + ANSWERS * answers
        if lexical:
            fused += WORDS * (shared.words + passage) / 2 + EVIDENCE * shared.evidence
            if not dense:
                fused[fused <= 0] = NOWHERE
        fused[self._out_of_date(today)] = NOWHERE
        nearest = self._owners[np.argpartition(-cosine, min(NEAREST, len(cosine)) - 1)[:NEAREST]]
        above = self._groups.best(above)
        return Scores(language, cosine, spread, best, above, shared, passage, nearest, fused, _first_two(fused))

    def _out_of_date(self, today: dt.date) -> list[int]:
        """Return the entries not to be answered on a day: expiry needs no new snapshot."""
        expired = self._expired
        if expired is None or expired[0] != today:
            owners = zip(self._groups.owners, self.snapshot.passages, strict=True)
            self._expired = expired = today, sorted({owner for owner, each in owners if not each.valid(today)})
        return expired[1]

    def _best(self, scores: Scores, top_k: int) -> list[int]:
        order = np.argsort(-scores.fused, kind="stable")[:top_k]
        return [int(entry) for entry in order if scores.fused[entry] > NOWHERE]

    def _hit(self, entry: int, scores: Scores) -> Hit:
        rows = self._groups.rows(entry)
        row = rows[int((scores.spread[rows] + WORDS * scores.lexical.passages[rows]).argmax())]
        passage = self.snapshot.passages[row]
        return Hit(
            passage.entry, passage.language, passage.question, float(scores.fused[entry]), float(scores.cosine[row]),
            float((scores.lexical.words[entry] + scores.passage[entry]) / 2),
        )

    def _features(self, entry: int, scores: Scores) -> dict[str, float]:
        rival = scores.first_two[1 if scores.fused[entry] >= scores.first_two[0] else 0]
        ahead = float(scores.fused[entry]) - rival
        return {
            "best": float(scores.best[entry]),
            "margin": float(np.clip(ahead, -FAR_AHEAD, FAR_AHEAD)),
            "above": 10 * float(scores.above[entry]),
            "coverage": float(scores.lexical.words[entry]),
            "evidence": float(scores.lexical.evidence[entry]),
            "missing": float(scores.lexical.missing[entry]),
            "own_language": float((self._groups.entries[entry], scores.language) in self._groups.languages),
            "among_nearest": float((scores.nearest == entry).mean()),
        }


def _first_two(scores: FloatArray) -> tuple[float, float]:
    """Return the two best scores, best first; a lonely one has nothing next to it."""
    if len(scores) < 2:
        return float(scores[0]), NOWHERE
    second, first = np.partition(scores, -2)[-2:]
    return float(first), float(second)
