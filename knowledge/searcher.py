"""Hybrid search and the decision whether the best entry answers the question at all.

What a question finds is ranked by `knowledge.ranking`. Vietnamese typed without diacritics is embedded with its
diacritics restored; the lexical leg compares what was typed.

The decision is calibrated per model on labelled questions (`manage.py calibrate`): the cosines of e5 lie between 0.7
and 0.95 whatever is asked, so no raw threshold will do (lessons S1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.calibration import FEATURES, Calibration, pair_of
from knowledge.declined import NONE, Declined
from knowledge.embedder import Embedder
from knowledge.geometry import Geometry
from knowledge.ranking import Asked, Found, Ranking
from knowledge.restore import Restorer, lacks_diacritics
from knowledge.snapshot import Snapshot

__all__ = ["FEATURES", "WEIGHED", "Calibration", "Decision", "Hit", "Searcher"]
# So many of the first entries that are found are put in the order of how likely they answer: the decision's numbers
# know more than the sum that finds them.
WEIGHED = 3


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
    """How a question ended: answered by an entry, to be clarified, or not known; `score` is a probability.

    `limits` are the probabilities from which on a question is answered, and asked back; none without a calibration.
    """

    outcome: str
    score: float
    hits: tuple[Hit, ...]
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def entry(self) -> Hit | None:
        """Return the entry that answers, if one does."""
        return self.hits[0] if self.outcome == "answered" else None


class Searcher:
    """Searches one snapshot; shared between threads, never changed.

    Without a calibration, and without a geometry of its own, it reads both for the snapshot's model: NotCalibrated
    when there are none.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        calibration: Calibration | None = None,
        geometry: Geometry | None = None,
        declined: Declined = NONE,
    ) -> None:
        if calibration is None and geometry is None:
            calibration = Calibration.read(embedder.name)
        self.snapshot = snapshot
        self.embedder = embedder
        self.calibration = calibration
        self._geometry = geometry or calibration.geometry  # type: ignore[union-attr]
        self._declined = declined
        self._ranking = Ranking(snapshot, self._geometry, declined) if snapshot.passages else None
        self._restorer = Restorer(passage.text for passage in snapshot.passages if passage.language == "vi")

    @property
    def geometry(self) -> Geometry:
        """Return the numbers that make this model's vectors comparable."""
        return self._geometry

    def direction(self, question: str, language: str) -> npt.NDArray[np.float32]:
        """Return a question's vector in the space that is common to all languages, shape (dimension,)."""
        return self._geometry.question(self.embedder.encode_query(self._restored(question, language)).vector, language)

    def _restored(self, question: str, language: str) -> str:
        if language == "vi" and lacks_diacritics(question):
            return self._restorer.restore(question) or question
        return question

    def over(self, snapshot: Snapshot) -> Searcher:
        """Return the same search over another snapshot."""
        return Searcher(snapshot, self.embedder, self.calibration, self._geometry, self._declined)

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
        found = self._find(question, language, today, dense=dense, lexical=lexical)
        return [self._hit(place, found) for place in range(min(top_k, len(found)))]

    def search(self, question: str, language: str, today: dt.date, top_k: int = 5) -> Decision:
        """Return the decision on a question asked in `language`."""
        found = self._find(question, language, today)
        hits = []
        for place in range(min(max(top_k, WEIGHED), len(found))):
            hits.append(replace(self._hit(place, found), score=self._probability(place, found, language)))
        if self.calibration is not None:
            hits[:WEIGHED] = sorted(hits[:WEIGHED], key=lambda hit: -hit.score)
        hits = hits[:top_k]
        if self.calibration is None:
            return Decision("not_known", 0.0, tuple(hits))
        limits = {"answer_from": self.calibration.answer_from, "clarify_from": self.calibration.clarify_from}
        if not hits:
            return Decision("not_known", 0.0, (), limits)
        return Decision(self.calibration.outcome(hits[0].score), hits[0].score, tuple(hits), limits)

    def features(
        self, question: str, language: str, today: dt.date, top_k: int = 1, apart_from: Collection[str] = ()
    ) -> list[tuple[str, dict[str, float]]]:
        """Return the best entries for a labelled question, best first, each with what the decision looks at.

        `apart_from` names the declined questions (declined.yml) that are not to be known.
        """
        found = self._find(question, language, today, apart_from=apart_from)
        return [(found.names[place], found.features(place)) for place in range(min(top_k, len(found)))]

    def _find(
        self,
        question: str,
        language: str,
        today: dt.date,
        *,
        dense: bool = True,
        lexical: bool = True,
        apart_from: Collection[str] = (),
    ) -> Found:
        if self._ranking is None:
            return Found.nothing()
        words = question
        encoded = self.embedder.encode_query(self._restored(question, language))
        asked = Asked(
            words, language, self._geometry.question(encoded.vector, language),
            self._geometry.question_token_rows(encoded.tokens, language), encoded.ids, apart_from,
        )
        return self._ranking.find(asked, today, dense=dense, lexical=lexical)

    def _probability(self, place: int, found: Found, language: str) -> float:
        if self.calibration is None:
            return 0.0
        features = found.features(place)
        return self.calibration.probability(features, pair_of(language, features["own_language"] > 0))

    def _hit(self, place: int, found: Found) -> Hit:
        passage = self.snapshot.passages[found.rows[place]]
        return Hit(
            passage.entry, passage.language, passage.question, float(found.fused[place]),
            float(found.cosines[place]), float(found.shared[place]),
        )
