"""`manage.py calibrate`: fit the decision to labelled questions, for the model in use."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from knowledge.calibration import CALIBRATION, FEATURES, known_as
from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.evaluation import Question, read_questions
from knowledge.keeper import Keeper, build
from knowledge.management.commands.evaluate import QUESTIONS
from knowledge.searcher import Searcher

# Of what is answered this much must be right, of what nothing answers this much declined; the threshold is the
# lowest that holds both on the tuning questions, each judged by a fit that has not seen it.
PRECISION = 0.92
DECLINED = 0.9
# Asking back is worth it while this share of the questions asked back about has its answer among the choices.
WORTH_ASKING = 0.6
CHOICES = 3
FOLDS = 10
Rows = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Command(BaseCommand):
    help = "Fit the answer decision on the questions of the split 'tune', and write the model's numbers."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--precision", type=float, default=PRECISION, help="of what is answered, right")
        parser.add_argument("--declined", type=float, default=DECLINED, help="of what nothing answers, not answered")

    def handle(self, *args: Any, **options: Any) -> None:
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            snapshot = Keeper(settings.INDEX_DIR, embedder, 1).load() or build(settings.INDEX_DIR, embedder)
            questions = [each for each in read_questions(sorted(QUESTIONS.glob("*.jsonl"))) if each.split == "tune"]
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        if len(questions) < 100:
            raise CommandError(f"{len(questions)} questions of the split 'tune' in {QUESTIONS}; 100 are needed.")
        rows, right, among = self._features(Searcher(snapshot, embedder, None), questions)
        fit = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=2000))
        unseen = cross_val_predict(fit, rows, right, cv=FOLDS, method="predict_proba")[:, 1]
        answerable = np.array([bool(each.relevant) for each in questions])
        answer_from = answer_threshold(unseen, right, answerable, options["precision"], options["declined"])
        clarify_from = clarify_threshold(unseen, among, answer_from)
        self._write(embedder.name, fit.fit(rows, right), answer_from, clarify_from, len(questions))
        answered = unseen >= answer_from
        self.stdout.write(
            f"{known_as(embedder.name)}: answers from probability {answer_from:.3f}, asks from {clarify_from:.3f}; "
            f"cross-validated on the tuning questions: precision {right[answered].mean():.3f}, coverage "
            f"{(right & answered).sum() / answerable.sum():.3f}, declined {(~answered)[~answerable].mean():.3f}. "
            "`manage.py evaluate --knowledge` measures the held-out ones."
        )

    @staticmethod
    def _features(searcher: Searcher, questions: list[Question]) -> tuple[Rows, Flags, Flags]:
        """Return per question: its features, whether the best entry answers, whether one of the choices does."""
        rows, right, among = [], [], []
        today = timezone.localdate()
        for question in questions:
            _, features = searcher.features(question.text, question.lang, today)
            found = [hit.entry for hit in searcher.hits(question.text, today, CHOICES, language=question.lang)]
            rows.append([features[name] for name in FEATURES])
            right.append(found[0] in question.relevant)
            among.append(any(entry in question.relevant for entry in found))
        return np.array(rows), np.array(right), np.array(among)

    @staticmethod
    def _write(model: str, fit: Any, answer_from: float, clarify_from: float, count: int) -> None:
        scaler, regression = fit[0], fit[1]
        # The scaling is folded into the weights: the search multiplies plain features.
        weights = regression.coef_[0] / scaler.scale_
        bias = regression.intercept_[0] - float((weights * scaler.mean_).sum())
        table = json.loads(CALIBRATION.read_text(encoding="utf-8")) if CALIBRATION.exists() else {}
        table[known_as(model)] = {
            "weights": {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)},
            "bias": round(float(bias), 4),
            "answer_from": round(answer_from, 4),
            "clarify_from": round(clarify_from, 4),
            "questions": count,
        }
        CALIBRATION.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def answer_threshold(probabilities: Rows, right: Flags, answerable: Flags, precision: float, declined: float) -> float:
    """Return the lowest probability from which on both targets hold."""
    for candidate in np.sort(probabilities):
        answered = probabilities >= candidate
        if right[answered].mean() >= precision and (~answered)[~answerable].mean() >= declined:
            return float(candidate)
    raise CommandError(
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
