"""Fits a model's numbers to a knowledge base and labelled questions (`manage.py calibrate`).

Three steps: the geometry from the texts; weights and boosted trees from the first few entries that the search finds
for each labelled question and whether each is right; an offset for each pair of languages, drawn towards none where
there are few questions. The likeliest of the few is what a question gets. The thresholds are chosen on predictions for
questions that the trees had not seen (cross-validation).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from knowledge.calibration import FEATURES, Calibration, pair_of
from knowledge.declined import Declined, read
from knowledge.embedder import Embedder, Encoded
from knowledge.errors import KnowledgeError
from knowledge.evaluation import Question
from knowledge.geometry import Geometry
from knowledge.passages import Passage
from knowledge.searcher import WEIGHED, Searcher
from knowledge.snapshot import Snapshot, encode
from knowledge.trees import from_sklearn

# Asking back is worth it while this share of the questions asked back about has its answer among the choices.
WORTH_ASKING = 0.6
# The split of questions that are no sample of what people ask: hard ones, to learn from only.
LEARNT_FROM = "train"
FOLDS = 10
SEED = 0
# How far the offset of all questions, and that of a pair, is expected to lie from none, in log-odds.
COMMON_SPREAD, PAIR_SPREAD = 3.0, 0.25
Rows = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


class NoThreshold(KnowledgeError):
    """The targets cannot be met by any threshold."""


class Remembering:
    """An embedder that encodes every passage once: fitting needs their tokens before and after the geometry."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Encoded] = {}
        self.name, self.dimension = embedder.name, embedder.dimension

    def encode_query(self, question: str) -> Encoded:
        """Return the question's vector and its tokens'."""
        return self._embedder.encode_query(question)

    def encode_passages(self, texts: Sequence[str], *, batch_size: int = 1) -> list[Encoded]:
        """Return every passage's vector and its tokens'."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(missing, self._embedder.encode_passages(missing, batch_size=batch_size), strict=True)
        return [self._known[text] for text in texts]


@dataclass(frozen=True)
class Examples:
    """What the search found for n questions: m entries, up to WEIGHED for each, and what is true of them.

    Of an entry: its question's number `of`, its features in `rows` (m, len(FEATURES)), whether it is `right`, its pair
    of languages. Of a question: whether it is `answerable`, and `ordinary`: the others, made hard on purpose, are there
    to learn from and do not say where the thresholds lie. The entries of a question stand together, best first.
    """

    of: Numbers
    rows: Rows
    right: Flags
    pairs: list[str]
    answerable: Flags
    ordinary: Flags

    def likeliest(self, odds: Rows) -> Numbers:
        """Return for every question which of the m entries is the likeliest to answer it (the first of equal ones)."""
        best = np.lexsort((np.arange(len(odds)), -odds, self.of))
        return best[np.unique(self.of[best], return_index=True)[1]]


@dataclass(frozen=True)
class Unseen:
    """What n questions get from trees that had not seen them: how likely, whether right, whether among the choices."""

    probabilities: Rows
    right: Flags
    among: Flags


def fit_geometry(passages: Sequence[Passage], embedder: Embedder) -> Geometry:
    """Return a model's geometry from the passages of a knowledge base."""
    as_passages = embedder.encode_passages([each.text for each in passages])
    asked = [each for each in passages if each.kind == "question"]
    as_questions = [embedder.encode_query(each.text) for each in asked]
    return Geometry.fit(
        (np.stack([each.vector for each in as_passages]), [each.language for each in passages]),
        (np.stack([each.vector for each in as_questions]), [each.language for each in asked]),
        [each.tokens for each in as_passages],
        [each.tokens for each in as_questions],
    )


def searcher_of(passages: Sequence[Passage], embedder: Embedder, geometry: Geometry) -> Searcher:
    """Return a search over passages, without a decision yet."""
    arrays = encode(passages, embedder, None, geometry)
    snapshot = Snapshot(0, embedder.name, tuple(passages), *arrays, geometry.digest)
    declined = Declined.encode(read(), embedder, geometry)
    return Searcher(snapshot, embedder, None, geometry, declined)


def examples(searcher: Searcher, questions: Sequence[Question], today: dt.date) -> Examples:
    """Return what the search finds for labelled questions."""
    of, rows, right, pairs = [], [], [], []
    # What one hand wrote at one time asks the same in seven languages. Whoever knew the others' labels would trust the
    # list of declined questions more than it deserves when somebody else asks.
    series: defaultdict[str, set[str]] = defaultdict(set)
    for question in questions:
        series[series_of(question)].add(question.text)
    for number, question in enumerate(questions):
        found = searcher.features(question.text, question.lang, today, WEIGHED, series[series_of(question)])
        for name, features in found:
            of.append(number)
            rows.append([features[each] for each in FEATURES])
            right.append(name in question.relevant)
            pairs.append(pair_of(question.lang, features["own_language"] > 0))
    answerable = [bool(each.relevant) for each in questions]
    ordinary = [each.split != LEARNT_FROM for each in questions]
    return Examples(np.array(of), np.array(rows), np.array(right), pairs, np.array(answerable), np.array(ordinary))


def series_of(question: Question) -> str:
    """Return which series of questions one belongs to: its id (`near-vi-plain-007`) up to the language (`near`)."""
    return question.id.partition(f"{question.lang}-")[0]


def fit(
    model: str, known: Examples, geometry: Geometry, precision: float, declined: float
) -> tuple[Calibration, Unseen]:
    """Return the numbers, and what each question gets from trees that had not seen it; raises NoThreshold."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=5000))
    boosted = GradientBoostingClassifier(
        n_estimators=200, max_depth=3, learning_rate=0.06, subsample=0.7, min_samples_leaf=10, max_features=0.4,
        random_state=SEED,
    )
    # What each says is averaged: straight lines go on where there were no questions, trees see what depends on what.
    odds = np.mean(
        [
            cross_val_predict(each, known.rows, known.right, cv=_folds(known), method="decision_function")
            for each in (linear, boosted)
        ],
        axis=0,
    )
    asked = known.ordinary
    chosen = known.likeliest(odds)[asked]
    # Hard questions have taught caution. What people ask is easier, in all languages: that is no matter of a pair.
    common = offset(odds[chosen], known.right[chosen], COMMON_SPREAD)
    odds += common
    offsets = pair_offsets(odds[chosen], known.right[chosen], [known.pairs[each] for each in chosen])
    odds += np.array([offsets.get(pair, 0.0) for pair in known.pairs])
    chosen = known.likeliest(odds)
    among = np.bincount(known.of, known.right, len(known.answerable)) > 0
    unseen = Unseen(1 / (1 + np.exp(-odds[chosen])), known.right[chosen], among)
    answer_from = answer_threshold(
        unseen.probabilities[asked], unseen.right[asked], known.answerable[asked], precision, declined
    )
    clarify_from = clarify_threshold(unseen.probabilities[asked], unseen.among[asked], answer_from)
    scaler, regression = linear.fit(known.rows, known.right)
    weights = regression.coef_[0] / scaler.scale_
    straight = float(regression.intercept_[0] - (weights * scaler.mean_).sum())
    bias, trees = from_sklearn(boosted.fit(known.rows, known.right), share=0.5)
    return (
        Calibration(
            model, round(answer_from, 4), round(clarify_from, 4), bias=round((bias + straight) / 2 + common, 6),
            weights=tuple(round(float(weight) / 2, 6) for weight in weights), trees=tuple(trees), pairs=offsets,
            geometry=geometry,
        ),
        unseen,
    )


def _folds(known: Examples) -> list[tuple[Numbers, Numbers]]:
    """Return (seen, unseen) entries for every fold; a question's entries are never on both sides."""
    kinds = 2 * known.answerable + known.ordinary
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(kinds, kinds)
    return [tuple(np.flatnonzero(np.isin(known.of, each)) for each in sides) for sides in folds]


def pair_offsets(odds: Rows, right: Flags, pairs: Sequence[str]) -> dict[str, float]:
    """Return for each pair what its log-odds are to be moved by: the most likely, expected near none."""
    of = {pair: np.array([each == pair for each in pairs]) for pair in sorted(set(pairs))}
    return {pair: offset(odds[rows], right[rows], PAIR_SPREAD) for pair, rows in of.items()}


def offset(odds: Rows, right: Flags, spread: float) -> float:
    """Return what log-odds are to be moved by: the most likely, expected within `spread` of none (MAP)."""
    moved = 0.0
    for _ in range(20):  # Newton's method; the function is convex
        chance = 1 / (1 + np.exp(-(odds + moved)))
        slope = (chance - right).sum() + moved / spread**2
        moved -= float(slope / ((chance * (1 - chance)).sum() + 1 / spread**2))
    return round(moved, 4)


def answer_threshold(probabilities: Rows, right: Flags, answerable: Flags, precision: float, declined: float) -> float:
    """Return the lowest probability from which on both targets hold; raises NoThreshold."""
    for candidate in np.sort(probabilities):
        answered = probabilities >= candidate
        if right[answered].mean() >= precision and (~answered)[~answerable].mean() >= declined:
            return float(candidate)
    raise NoThreshold(
        f"No threshold answers with precision {precision} and declines {declined} of what nothing answers. Add "
        "labelled questions or other ways to ask, or allow more with --precision and --declined."
    )


def clarify_threshold(probabilities: Rows, among: Flags, answer_from: float) -> float:
    """Return the lowest probability from which on asking back is worth it (the answer's own if it never is)."""
    for candidate in np.sort(probabilities[probabilities < answer_from]):
        asked_back = (probabilities >= candidate) & (probabilities < answer_from)
        if among[asked_back].mean() >= WORTH_ASKING:
            return float(candidate)
    return answer_from
