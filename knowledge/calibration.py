"""The decision's numbers: from which evidence on an entry answers, kept per embedding model in calibration.json."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import NotCalibrated

CALIBRATION = Path(__file__).resolve().parent / "calibration.json"
# How long a question is says nothing here on purpose: in labelled questions it would (what nothing answers is short
# there), and then any long text is answered.
FEATURES = ("best", "margin", "above", "coverage", "evidence", "missing", "own_language", "among_nearest")


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
        row = table.get(known_as(model))
        if row is None or set(row["weights"]) != set(FEATURES):
            raise NotCalibrated(
                f"The decision is not calibrated for the model {known_as(model)!r} "
                f"(calibrated: {sorted(table) or 'none'}). Run `manage.py calibrate` with labelled "
                "questions of your knowledge base."
            )
        weights = tuple(float(row["weights"][name]) for name in FEATURES)
        return cls(model, weights, row["bias"], row["answer_from"], row["clarify_from"])

    def probability(self, features: dict[str, float]) -> float:
        """Return the probability that an entry with these features answers."""
        total = self.bias + sum(weight * features[name] for weight, name in zip(self.weights, FEATURES, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))

    def outcome(self, probability: float) -> str:
        """Return how a question ends whose best entry answers with this probability."""
        if probability >= self.answer_from:
            return "answered"
        return "clarify" if probability >= self.clarify_from else "not_known"


def known_as(model: str) -> str:
    """Return the name that a model's numbers are kept under: without the fingerprint of one build.

    The same model quantised on another machine differs in bits, hence in fingerprint, but not in what its cosines
    mean; its index snapshots do carry the fingerprint.
    """
    return model.split("@")[0]
