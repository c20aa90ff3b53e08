"""The decision's numbers: from which evidence on an entry answers, kept per embedding model in `calibration/`.

`MODEL.json` holds weights of FEATURES and boosted trees over them, an offset for every pair of languages (the asker's,
and whether the entry has a text in it), and the two thresholds; `MODEL.npz` the model's geometry. `manage.py calibrate`
writes both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from knowledge.errors import NotCalibrated
from knowledge.geometry import PLAIN, Geometry
from knowledge.trees import Forest, Tree

FOLDER = Path(__file__).resolve().parent / "calibration"
# How long a question is says nothing here on purpose: in labelled questions it would (what nothing answers is short
# there), and then any long text is answered.
FEATURES = (
    "margin", "coverage", "phrase", "evidence", "missing", "own_language", "among_nearest",
    "best", "mean", "answers", "dense_margin", "late", "late_mean", "late_margin", "uncovered", "worst", "alike",
    "declined", "ahead_of_declined", "more_alike", "foreign",
    "coverage_ahead", "phrase_ahead", "evidence_ahead", "mean_ahead", "answers_ahead", "late_mean_ahead", "alike_ahead",
)
PLAIN_WEIGHTS = (0.0,) * len(FEATURES)


@dataclass(frozen=True)
class Calibration:
    """The decision's numbers for one model: log-odds = bias + weights · features + trees + the pair's offset."""

    model: str
    answer_from: float
    clarify_from: float
    bias: float = 0.0
    weights: tuple[float, ...] = PLAIN_WEIGHTS
    trees: tuple[Tree, ...] = ()
    pairs: Mapping[str, float] = field(default_factory=dict)
    geometry: Geometry = PLAIN

    @classmethod
    def read(cls, model: str, folder: Path = FOLDER) -> Calibration:
        """Return the numbers for a model; raises NotCalibrated."""
        numbers, geometry = files(model, folder)
        try:
            row = json.loads(numbers.read_text(encoding="utf-8"))
            if row["features"] != list(FEATURES):
                raise ValueError("its numbers are for other features")
            trees = tuple(Tree.of(each) for each in row["trees"])
            return cls(
                model, row["answer_from"], row["clarify_from"], bias=row["bias"], weights=tuple(row["weights"]),
                trees=trees, pairs=row["pairs"], geometry=Geometry.read(geometry),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            calibrated = sorted(each.stem.replace("--", "/") for each in folder.glob("*.json"))
            raise NotCalibrated(
                f"The decision is not calibrated for the model {known_as(model)!r} ({_why(error)}; calibrated: "
                f"{', '.join(calibrated) or 'none'}). Run `manage.py calibrate` with labelled questions of your "
                "knowledge base."
            ) from error

    def write(self, folder: Path = FOLDER, **notes: Any) -> None:
        """Keep the numbers, with notes on how they came about."""
        folder.mkdir(exist_ok=True)
        numbers, geometry = files(self.model, folder)
        row = {
            "model": known_as(self.model), **notes, "answer_from": self.answer_from, "clarify_from": self.clarify_from,
            "bias": self.bias, "pairs": dict(self.pairs), "features": list(FEATURES), "weights": list(self.weights),
        }
        head = json.dumps(row, indent=2, ensure_ascii=False).removesuffix("\n}")
        # A tree a line: a difference between two calibrations can be read.
        trees = ",\n    ".join(json.dumps(each.as_json()) for each in self.trees)
        numbers.write_text(f'{head},\n  "trees": [\n    {trees}\n  ]\n}}\n', encoding="utf-8")
        self.geometry.write(geometry)

    def probability(self, features: Mapping[str, float], pair: str = "") -> float:
        """Return the probability that an entry with these features answers a question of a pair of languages."""
        row = [features[name] for name in FEATURES]
        total = self.bias + self.pairs.get(pair, 0.0) + self._forest(row)
        total += sum(weight * value for weight, value in zip(self.weights, row, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))

    @cached_property
    def _forest(self) -> Forest:
        return Forest(self.trees)

    def outcome(self, probability: float) -> str:
        """Return how a question ends whose best entry answers with this probability."""
        if probability >= self.answer_from:
            return "answered"
        return "clarify" if probability >= self.clarify_from else "not_known"


def pair_of(language: str, own: bool) -> str:
    """Return the name of a pair of languages: the asker's, and `own` or `other` for the entry's."""
    return f"{language}->{'own' if own else 'other'}"


def known_as(model: str) -> str:
    """Return the name that a model's numbers are kept under: without the fingerprint of one build.

    The same model quantised on another machine differs in bits, hence in fingerprint, but not in what its cosines
    mean; its index snapshots do carry the fingerprint.
    """
    return model.split("@")[0]


def files(model: str, folder: Path = FOLDER) -> tuple[Path, Path]:
    """Return where a model's numbers and its geometry are kept."""
    name = known_as(model).replace("/", "--")
    return folder / f"{name}.json", folder / f"{name}.npz"


def _why(error: Exception) -> str:
    return "no numbers are kept for it" if isinstance(error, OSError) else str(error)
