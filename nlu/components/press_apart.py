"""The classifier of all intents, which learns nothing from the examples that `PressClassifier` alone is for."""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifierApart(LogisticRegressionClassifier):
    """Leaves out examples whose intent's metadata says `apart: true`.

    They tell press requests from what sounds like them, over a thousand times `ask`: here they would outweigh the
    other intents, and call complaints and investments questions.
    """

    def train(self, training_data: TrainingData) -> Resource:
        """Train on the rest."""
        return super().train(training_data.filter_training_examples(_counts))


def _counts(message: Message) -> bool:
    about_intent = (message.get("metadata") or {}).get("intent") or {}
    return not about_intent.get("apart")
