"""Which entries a question finds, best first, with everything that is known about each.

Candidates are the entries of the nearest passages and those that share most words with the question. A candidate is
judged through its passages in all its languages, by three legs: the vectors of whole texts (knowledge.geometry makes
languages comparable), the single tokens (knowledge.late), and words and concepts (knowledge.lexical).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge import vectors
from knowledge.calibration import FEATURES
from knowledge.declined import NONE, Declined
from knowledge.geometry import Geometry
from knowledge.groups import Groups, Selection
from knowledge.late import LateInteraction
from knowledge.lexical import LexicalIndex
from knowledge.snapshot import Snapshot

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
# How many of the nearest passages name candidates, how many candidates each leg names at most, and how many of them
# are compared token by token.
PASSAGES, BY_MEANING, BY_WORDS, CLOSE = 200, 40, 16, 24
# Weights of the fused score; chosen on the questions of the split 'tune'. Cosines of candidates spread by about 0.1.
DENSE, LATE, ANSWERS, WORDS, EVIDENCE = 4.0, 14.0, 0.5, 4.0, 0.75
# How far an entry can be ahead of the next before it makes no difference.
FAR_AHEAD = 3.0
NEAREST = 10
# What words in common count beside a cosine when a passage is chosen to be shown.
SHOWN = 0.2
# Below this similarity a token of the question has no counterpart.
COUNTERPART = 0.6
# Trees are easier to read, and rounded with less loss, when their numbers are about 1.
SCALE = 10.0
# Features that say how far an entry is ahead of the next by one measure, in the order in which they are worked out.
AHEAD = (
    "margin", "dense_margin", "late_margin", "coverage_ahead", "phrase_ahead", "evidence_ahead", "mean_ahead",
    "answers_ahead", "late_mean_ahead", "alike_ahead",
)
# Languages that entries are first written in: token by token, an entry is read in these and in the asker's.
MAIN_LANGUAGES = ("vi", "en")


@dataclass(frozen=True)
class Asked:
    """A question: its words as typed, its language, its comparable vector (dimension,) and tokens (t, kept) and (t,).

    One to learn from is not compared with the declined ones that it is to be kept `apart_from`.
    """

    words: str
    language: str
    vector: FloatArray
    tokens: FloatArray
    ids: npt.NDArray[np.int32]
    apart_from: Collection[str] = ()


@dataclass(frozen=True)
class Found:
    """The entries that a question finds, best first; all arrays have one element an entry.

    `rows` are the passages that show an entry best, `cosines` theirs, `shared` the words in common (0 to 1), `known`
    the decision's features by name.
    """

    names: list[str]
    rows: IntArray
    fused: FloatArray
    cosines: FloatArray
    shared: FloatArray
    known: dict[str, FloatArray]

    def __len__(self) -> int:
        """Return how many entries were found."""
        return len(self.names)

    def features(self, place: int) -> dict[str, float]:
        """Return what the decision looks at, for one entry."""
        return {name: float(self.known[name][place]) for name in FEATURES}

    @classmethod
    def nothing(cls) -> Found:
        """Return what a question finds in an empty knowledge base."""
        none = np.zeros(0, np.float32)
        return cls([], np.zeros(0, np.int64), none, none, none, {})


class Ranking:
    """Ranks the entries of one snapshot, which holds a passage at least; shared between threads, never changed."""

    def __init__(self, snapshot: Snapshot, geometry: Geometry, declined: Declined = NONE) -> None:
        self._declined = declined
        self._passages = passages = snapshot.passages
        languages = [passage.language for passage in passages]
        self._groups = Groups(passages)
        self._owners = np.array(self._groups.owners, np.int64)
        self._is_answer = np.array([passage.kind == "answer" for passage in passages], bool)
        self._is_question = np.array([passage.kind == "question" for passage in passages], bool)
        self._read_in = {each: np.isin(languages, (*MAIN_LANGUAGES, each)) for each in {*languages, ""}}
        self._vectors = geometry.passage_rows(snapshot.vectors, languages)
        self._index = vectors.build(self._vectors)
        self._late = LateInteraction(snapshot.tokens)
        self._lexical = LexicalIndex(
            [passage.text for passage in passages], self._groups.owners, [each.kind == "question" for each in passages]
        )
        self._expired: tuple[dt.date, set[int]] | None = None

    def find(self, asked: Asked, today: dt.date, *, dense: bool = True, lexical: bool = True) -> Found:
        """Return what a question finds; each leg can be left out to see what the other finds."""
        words = self._lexical.scores(asked.words)
        phrases = self._groups.best(words.passages)
        by_words = (words.words + phrases) / 2
        nearest = self._owners[self._index.search(asked.vector, min(PASSAGES, len(self._owners)))[0]]
        said = WORDS * by_words + EVIDENCE * words.evidence
        entries = self._candidates(nearest if dense else nearest[:0], said if lexical else said[:0], today)
        if not len(entries):
            return Found.nothing()
        chosen = self._groups.select(entries)
        cosines = self._vectors[chosen.rows] @ asked.vector
        best, mean = chosen.best_and_mean(cosines)
        answers = self._mean_of(self._is_answer, chosen, cosines, mean)
        fused = np.zeros(len(entries), np.float32)
        late = np.zeros((5, len(entries)), np.float32)
        if lexical:
            fused += said[entries]
        if dense:
            fused += DENSE * (best + mean + ANSWERS * answers)
            close = np.argsort(-fused, kind="stable")[:CLOSE]
            late[:, close] = self._read_closely(asked, entries[close], chosen, cosines)
            fused += LATE * (late[0] + late[1])
        order = np.argsort(-fused, kind="stable")
        if not dense:
            order = order[fused[order] > 0]  # nothing in common is nothing found
        compared = np.stack([
            fused, SCALE * best, SCALE * late[0], words.words[entries], phrases[entries], words.evidence[entries],
            SCALE * mean, SCALE * answers, SCALE * late[1], SCALE * late[4],
        ])
        known = {
            **dict(zip(AHEAD, _ahead(compared), strict=True)),
            "coverage": words.words[entries], "phrase": phrases[entries],
            "evidence": words.evidence[entries], "missing": words.missing[entries], "foreign": words.foreign[entries],
            "own_language": self._groups.written_in(entries, asked.language),
            "among_nearest": (entries[:, None] == nearest[None, :NEAREST]).mean(axis=1),
            "best": SCALE * best, "mean": SCALE * mean, "answers": SCALE * answers,
            "late": SCALE * late[0], "late_mean": SCALE * late[1],
            "uncovered": SCALE * late[2], "worst": SCALE * late[3], "alike": SCALE * late[4],
            **self._beside_declined(asked, best, late[4]),
        }
        places = chosen.highest(cosines + SHOWN * words.passages[chosen.rows])
        rows, shown = chosen.rows[places], cosines[places]
        return Found(
            [self._groups.entries[entry] for entry in entries[order]], rows[order], fused[order], shown[order],
            by_words[entries[order]], {name: values[order] for name, values in known.items()},
        )

    def _candidates(self, nearest: IntArray, said: FloatArray, today: dt.date) -> IntArray:
        """Return the numbers of the entries to be looked at: by meaning, then by words."""
        meant = dict.fromkeys(nearest.tolist())
        spoken = np.argsort(-said, kind="stable")[: BY_WORDS + len(self._out_of_date(today))]
        out = self._out_of_date(today)
        first = [entry for entry in meant if entry not in out][:BY_MEANING]
        second = [int(entry) for entry in spoken if said[entry] > 0 and entry not in out][:BY_WORDS]
        return np.array(list(dict.fromkeys([*first, *second])), np.int64)

    def _out_of_date(self, today: dt.date) -> set[int]:
        """Return the entries not to be answered on a day: expiry needs no new snapshot."""
        expired = self._expired
        if expired is None or expired[0] != today:
            pairs = zip(self._groups.owners, self._passages, strict=True)
            self._expired = expired = today, {owner for owner, each in pairs if not each.valid(today)}
        return expired[1]

    def _beside_declined(self, asked: Asked, best: FloatArray, alike: FloatArray) -> dict[str, FloatArray]:
        """Return how near the question is to what is declined, and how much nearer to each entry."""
        first, few = self._declined.near(asked.vector, asked.apart_from)
        return {
            "declined": np.full(len(best), SCALE * few, np.float32),
            "ahead_of_declined": SCALE * (best - first), "more_alike": SCALE * (alike - first),
        }

    def _mean_of(
        self, kind: npt.NDArray[np.bool_], chosen: Selection, cosines: FloatArray, otherwise: FloatArray
    ) -> FloatArray:
        """Return the mean cosine of the entries' passages of a kind; an entry without any: what else is known of it."""
        counted = kind[chosen.rows]
        counts = np.add.reduceat(counted.astype(np.float32), chosen.starts)
        totals = np.add.reduceat(np.where(counted, cosines, 0).astype(np.float32), chosen.starts)
        return np.where(counts > 0, totals / np.maximum(counts, 1), otherwise)

    def _read_closely(self, asked: Asked, entries: IntArray, chosen: Selection, cosines: FloatArray) -> FloatArray:
        """Return what the tokens say of each entry, shape (5, entries).

        The best and the mean over languages of MaxSim; how much of the question has no counterpart, on average and in
        its worst token; how alike the question and the likest question of the entry are, read in both directions.
        """
        keep = self._read_in.get(asked.language, self._read_in[""]).copy()
        keep[chosen.rows[chosen.highest(cosines)]] = True
        read = self._groups.select(entries, keep)
        forth, back = self._late.compare(asked.tokens, read.rows)
        weights = self._late.weights(asked.ids)
        scores = weights @ forth
        best, mean = read.best_and_mean(scores)
        lacking = np.maximum(COUNTERPART - np.maximum.reduceat(forth, read.starts, axis=1), 0)
        worst = (lacking * (weights / max(weights.max(initial=0), 1e-6))[:, None]).max(axis=0, initial=0)
        alike = np.where(self._is_question[read.rows], (scores + back) / 2, 0).astype(np.float32)
        return np.stack([best, mean, weights @ lacking, worst, np.maximum.reduceat(alike, read.starts)])


def _ahead(scores: FloatArray) -> FloatArray:
    """Return how far each is ahead of the best of the others in its row (negative: behind), within FAR_AHEAD."""
    if scores.shape[1] < 2:
        return np.full(scores.shape, FAR_AHEAD, np.float32)
    ordered = np.partition(scores, -2, axis=1)
    second, first = ordered[:, -2, None], ordered[:, -1, None]
    rival = np.where(scores >= first, second, first)
    return np.clip(scores - rival, -FAR_AHEAD, FAR_AHEAD).astype(np.float32)
