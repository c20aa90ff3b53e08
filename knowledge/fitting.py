"""Fits a model's numbers to a knowledge base and labelled questions (`manage.py calibrate`).

Three steps: the geometry from the texts; weights and boosted trees from what the search finds for each labelled
question and whether that is right; an offset for each pair of languages, drawn towards none where there are few
questions. The thresholds are chosen on predictions for questions that the trees had not seen (cross-validation).
"""

from __future__ import annotations

import datetime as dt
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
from knowledge.searcher import Searcher
from knowledge.snapshot import Snapshot, encode
from knowledge.trees import from_sklearn

# Asking back is worth it while this share of the questions asked back about has its answer among the choices.
WORTH_ASKING = 0.6
CHOICES = 3
# The split of questions that are no sample of what people ask: hard ones, to learn from only.
LEARNT_FROM = "train"
FOLDS = 10
SEED = 0
# How far a pair's offset is expected to lie from none, in log-odds.
PAIR_SPREAD = 0.5
Rows = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


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

    def encode_passages(self, texts: Sequence[str], *, batch_size: int = 16) -> list[Encoded]:
        """Return every passage's vector and its tokens'."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(missing, self._embedder.encode_passages(missing, batch_size=batch_size), strict=True)
        return [self._known[text] for text in texts]


@dataclass(frozen=True)
class Examples:
    """What the search found for n questions: features (n, len(FEATURES)), and what is true of each.

    Only `ordinary` ones say where the thresholds lie; the others, made hard on purpose, are there to learn from.
    """

    rows: Rows
    right: Flags
    among: Flags
    answerable: Flags
    pairs: list[str]
    ordinary: Flags


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
    rows, right, among, pairs = [], [], [], []
    for question in questions:
        found = searcher.features(question.text, question.lang, today, CHOICES)
        name, features = found[0]
        rows.append([features[each] for each in FEATURES])
        right.append(name in question.relevant)
        among.append(any(entry in question.relevant for entry, _ in found))
        pairs.append(pair_of(question.lang, features["own_language"] > 0))
    answerable = [bool(each.relevant) for each in questions]
    ordinary = [each.split != LEARNT_FROM for each in questions]
    return Examples(
        np.array(rows), np.array(right), np.array(among), np.array(answerable), pairs, np.array(ordinary)
    )


def fit(model: str, known: Examples, geometry: Geometry, precision: float, declined: float) -> tuple[Calibration, Rows]:
    """Return the numbers, and each question's probability by trees that had not seen it; raises NoThreshold."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=5000))
    boosted = GradientBoostingClassifier(
        n_estimators=200, max_depth=3, learning_rate=0.06, subsample=0.7, min_samples_leaf=10, max_features=0.4,
        random_state=SEED,
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    # What each says is averaged: straight lines go on where there were no questions, trees see what depends on what.
    odds = np.mean(
        [
            cross_val_predict(each, known.rows, known.right, cv=folds, method="decision_function")
            for each in (linear, boosted)
        ],
        axis=0,
    )
    asked = known.ordinary
    pairs = [pair for pair, counts in zip(known.pairs, asked, strict=True) if counts]
    offsets = pair_offsets(odds[asked], known.right[asked], pairs)
    odds += np.array([offsets.get(pair, 0.0) for pair in known.pairs])
    probabilities = 1 / (1 + np.exp(-odds))
    answer_from = answer_threshold(
        probabilities[asked], known.right[asked], known.answerable[asked], precision, declined
    )
    clarify_from = clarify_threshold(probabilities[asked], known.among[asked], answer_from)
    scaler, regression = linear.fit(known.rows, known.right)
    weights = regression.coef_[0] / scaler.scale_
    straight = float(regression.intercept_[0] - (weights * scaler.mean_).sum())
    bias, trees = from_sklearn(boosted.fit(known.rows, known.right), share=0.5)
    return (
        Calibration(
            model, round(answer_from, 4), round(clarify_from, 4), bias=round((bias + straight) / 2, 6),
            weights=tuple(round(float(weight) / 2, 6) for weight in weights), trees=tuple(trees), pairs=offsets,
            geometry=geometry,
        ),
        probabilities,
    )


def pair_offsets(odds: Rows, right: Flags, pairs: Sequence[str]) -> dict[str, float]:
    """Return for each pair what its log-odds are to be moved by: the most likely, expected near none (MAP)."""
    offsets = {}
    for pair in sorted(set(pairs)):
        of = np.array([each == pair for each in pairs])
        offset = 0.0
        for _ in range(20):  # Newton's method; the function is convex
            chance = 1 / (1 + np.exp(-(odds[of] + offset)))
            slope = (chance - right[of]).sum() + offset / PAIR_SPREAD**2
            offset -= float(slope / ((chance * (1 - chance)).sum() + 1 / PAIR_SPREAD**2))
        offsets[pair] = round(offset, 4)
    return offsets


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
