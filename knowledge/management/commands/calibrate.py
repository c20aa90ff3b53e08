"""`manage.py calibrate`: fit the search to the knowledge base and labelled questions, for the model in use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from knowledge.calibration import known_as
from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import KnowledgeError
from knowledge.evaluation import read_questions
from knowledge.fitting import LEARNT_FROM, Remembering, examples, fit, fit_geometry, searcher_of
from knowledge.management.commands.evaluate import QUESTIONS
from knowledge.passages import published_passages

# Of what is answered this much must be right, of what nothing answers this much declined; the threshold is the
# lowest that holds both on the tuning questions, each judged by a fit that has not seen it. People who do not know the
# knowledge base ask harder ones: on theirs the precision is one or two points lower.
PRECISION = 0.98
DECLINED = 0.95
ENOUGH = 100


class Command(BaseCommand):
    help = "Fit the search to the questions of the split 'tune' and write the model's numbers to knowledge/calibration."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--precision", type=float, default=PRECISION, help="of what is answered, right")
        parser.add_argument("--declined", type=float, default=DECLINED, help="of what nothing answers, not answered")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            embedder = Remembering(SentenceTransformerEmbedder(settings.MODEL))
            splits = ("tune", LEARNT_FROM)
            questions = [each for each in read_questions(sorted(QUESTIONS.glob("*.jsonl"))) if each.split in splits]
            passages = list(published_passages())
            if len(questions) < ENOUGH or not passages:
                raise CommandError(
                    f"{len(questions)} questions of the split 'tune' in {QUESTIONS} and {len(passages)} published "
                    f"passages; {ENOUGH} questions about a published knowledge base are needed."
                )
            geometry = fit_geometry(passages, embedder)
            known = examples(searcher_of(passages, embedder, geometry), questions, timezone.localdate())
            calibration, unseen = fit(embedder.name, known, geometry, options["precision"], options["declined"])
        except KnowledgeError as error:
            raise CommandError(str(error)) from error
        calibration.write(questions=len(questions), passages=len(passages))
        asked = known.ordinary
        answered = unseen.probabilities[asked] >= calibration.answer_from
        right, answerable = unseen.right[asked], known.answerable[asked]
        self.stdout.write(
            f"{known_as(embedder.name)}: answers from probability {calibration.answer_from:.3f}, asks from "
            f"{calibration.clarify_from:.3f}; cross-validated on the tuning questions: first hit right "
            f"{right[answerable].mean():.3f}, precision {right[answered].mean():.3f}, coverage "
            f"{(right & answered).sum() / answerable.sum():.3f}, declined "
            f"{(~answered)[~answerable].mean():.3f}. `manage.py evaluate --knowledge` measures the held-out ones."
        )
