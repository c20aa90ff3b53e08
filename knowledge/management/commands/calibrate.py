"""`manage.py calibrate`: fit the decision to labelled questions, for the model in use."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from sklearn.linear_model import LogisticRegression

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.evaluation import Question, read_questions
from knowledge.keeper import Keeper, build
from knowledge.management.commands.evaluate import QUESTIONS
from knowledge.searcher import CALIBRATION, FEATURES, Searcher

# What the starter questions allow with the default model; the threshold is the lowest that holds both.
PRECISION = 0.85
DECLINED = 0.90
# Asking back costs a tap, not a wrong answer: from this share of the answer's threshold on.
CLARIFY = 0.35


class Command(BaseCommand):
    help = "Fit the answer decision on the questions of the split 'tune', and write the model's numbers."

    def handle(self, *args: Any, **options: Any) -> None:
        embedder = SentenceTransformerEmbedder(settings.MODEL)
        try:
            snapshot = Keeper(settings.INDEX_DIR, embedder, 1).load() or build(settings.INDEX_DIR, embedder)
            questions = [each for each in read_questions(sorted(QUESTIONS.glob("*.jsonl"))) if each.split == "tune"]
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        if len(questions) < 100:
            raise CommandError(f"{len(questions)} questions of the split 'tune' in {QUESTIONS}; 100 are needed.")
        rows, right = self._features(Searcher(snapshot, embedder, None), questions)
        fit = LogisticRegression(C=1.0, max_iter=1000).fit(rows, right)
        probabilities = fit.predict_proba(rows)[:, 1]
        answerable = np.array([bool(each.relevant) for each in questions])
        answer_from = self._threshold(probabilities, right, answerable)
        table = json.loads(CALIBRATION.read_text(encoding="utf-8")) if CALIBRATION.exists() else {}
        table[embedder.name] = {
            "weights": {name: round(float(w), 4) for name, w in zip(FEATURES, fit.coef_[0], strict=True)},
            "bias": round(float(fit.intercept_[0]), 4),
            "answer_from": round(answer_from, 4),
            "clarify_from": round(answer_from * CLARIFY, 4),
            "questions": len(questions),
        }
        CALIBRATION.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        answered = probabilities >= answer_from
        self.stdout.write(
            f"{embedder.name}: answers from probability {answer_from:.3f}; on the tuning questions precision "
            f"{right[answered].mean():.3f}, coverage {(right & answered).sum() / answerable.sum():.3f}, declined "
            f"{(~answered)[~answerable].mean():.3f}. `manage.py evaluate --knowledge` measures the held-out ones."
        )

    @staticmethod
    def _features(searcher: Searcher, questions: list[Question]) -> tuple[np.ndarray, np.ndarray]:
        rows, right = [], []
        today = timezone.localdate()
        for question in questions:
            entry, features = searcher.features(question.text, today)
            rows.append([features[name] for name in FEATURES])
            right.append(entry in question.relevant)
        return np.array(rows), np.array(right)

    @staticmethod
    def _threshold(probabilities: np.ndarray, right: np.ndarray, answerable: np.ndarray) -> float:
        """Return the lowest probability from which on both targets hold (the strictest one if none does)."""
        for candidate in np.sort(probabilities):
            answered = probabilities >= candidate
            if right[answered].mean() >= PRECISION and (~answered)[~answerable].mean() >= DECLINED:
                return float(candidate)
        raise CommandError(f"No threshold reaches precision {PRECISION} and declined {DECLINED}; add labelled questions.")
