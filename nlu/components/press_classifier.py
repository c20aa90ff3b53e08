"""Decides, outside of forms, whether a message asks something as the press, or for the city's position.

The intent classifier weighs thirteen intents at once and misses what hints only ("would someone go on camera");
this one weighs three kinds of question, by the sentence vector and the cues of `nlu.press`, tuned to miss none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.svm import SVC

from nlu import press
from nlu.components.messages import (
    confidence_of,
    intent_of,
    is_button,
    metadata_of,
    set_entity,
    set_intent,
    text_of,
)

KINDS = ("other", "press", "position")
FloatArray = npt.NDArray[np.float64]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class PressClassifier(GraphComponent, IntentClassifier):
    """Has the say on the intent `press`, and adds the entity `position` to questions for the city's position."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Return what must stand before this component."""
        return [DenseFeaturizer]

    @staticmethod
    def required_packages() -> list[str]:
        """Return the packages that training imports."""
        return ["sklearn"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options and what each is for."""
        return {
            # A message is a press request, or asks for the city's position, from this certainty on; 0.5 is the
            # border that training drew, with the rarer kind weighed up.
            "min_press": 0.5,
            "min_position": 0.6,
            # Less is enough where the classifier of all intents says `press` with this confidence.
            "min_press_seconded": 0.2,
            "min_seconded": 0.5,
            # Answers to a form's questions: outside of forms, where this component decides, nobody says them.
            "without_intents": ["inform"],
            # How fast a training example stops counting with its distance, and how little its weight is held back.
            "gamma": 1.0,
            "C": 5.0,
        }

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        learned: dict[str, FloatArray] | None = None,
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        # mean (dimension,), examples (n, dimension + signs), coefficients (2, n), intercepts (2,).
        self._learned = learned

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PressClassifier:
        """Create the component, untrained."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> PressClassifier:
        """Load the weights that training stored."""
        with model_storage.read_from(resource) as folder, np.load(folder / "press.npz") as stored:
            learned = {name: stored[name] for name in stored.files}
        return cls(config, model_storage, resource, learned)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples: `press`, those whose intent's metadata says `kind: position`, and the rest.

        Raises:
            RasaException: one of the kinds has no example.
        """
        messages = [
            message
            for message in training_data.intent_examples
            if text_of(message) and message.get(INTENT) not in self._config["without_intents"]
        ]
        kinds = np.array([KINDS.index(_kind(message)) for message in messages])
        missing = [kind for number, kind in enumerate(KINDS) if number not in kinds]
        if missing:
            raise RasaException(f"PressClassifier: nlu/training has no example of {', '.join(missing)}.")
        vectors = np.stack([_vector(message) for message in messages])
        mean = vectors.mean(axis=0)
        examples = np.stack([_features(message, mean) for message in messages])
        # Requests resemble one another in clusters (filming, quoting, asking who speaks), which no plane parts
        # from the rest; nearness to examples does.
        machines = [
            SVC(C=self._config["C"], gamma=self._config["gamma"], class_weight="balanced").fit(
                examples, kinds == number
            )
            for number in (1, 2)
        ]
        coefficients = np.zeros((2, len(examples)))
        for row, machine in zip(coefficients, machines, strict=True):
            row[machine.support_] = machine.dual_coef_[0]
        used = coefficients.any(axis=0)
        self._learned = {
            "mean": mean,
            "examples": examples[used].astype(np.float32),
            "coefficients": coefficients[:, used],
            "intercepts": np.array([machine.intercept_[0] for machine in machines]),
        }
        with self._storage.write_to(self._resource) as folder:
            np.savez(folder / "press.npz", **self._learned)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Settle `press` and `position` for each message that no form waits for."""
        for message in messages:
            if not is_button(message) and not metadata_of(message, "requested"):
                self._decide(message)
        return messages

    def _decide(self, message: Message) -> None:
        press_certainty, position_certainty = self._certainties(message)
        # Somebody on holiday asks for himself, however much his trade shows; a clear request overrules that
        # in PressDetector.
        doubt = confidence_of(message, "press") < self._config["min_seconded"]
        least = self._config["min_press" if doubt else "min_press_seconded"]
        is_press = press_certainty >= least and not press.is_ordinary(text_of(message))
        name, _ = intent_of(message)
        if is_press:
            # Between 0.75 (FormGuard's bound is lower) and 1, as of any intent that won: 1 is left to the cues.
            set_intent(message, "press", max(0.75, 0.5 + press_certainty / 2.001))
        elif name == "press":
            set_intent(message, "ask", max(confidence_of(message, "ask"), 1 - float(press_certainty)))
        if position_certainty >= self._config["min_position"]:
            set_entity(message, "position", "asked", type(self).__name__)

    def _certainties(self, message: Message) -> FloatArray:
        if self._learned is None:
            raise RasaException("PressClassifier was not trained. Run `make`.")
        # In the stored precision: mixed ones are converted at every message, ten times slower.
        features = _features(message, self._learned["mean"]).astype(np.float32)
        near = self._near(features[None, :], self._learned["examples"])[0]
        scores = self._learned["coefficients"] @ near + self._learned["intercepts"]
        # A margin of 1 on the right side is what training asks of an example: certain enough for 0.95.
        certainties: FloatArray = 1 / (1 + np.exp(-3 * scores))
        return certainties

    def _near(self, some: FloatArray, examples: FloatArray) -> FloatArray:
        """Return how near each of `some` is to each example, 0 to 1; shape (len(some), len(examples))."""
        distances = (
            np.square(some).sum(axis=1)[:, None] + np.einsum("ij,ij->i", examples, examples) - 2 * some @ examples.T
        )
        return np.exp(-self._config["gamma"] * distances)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse probabilities that are none."""
        for option in ("min_press", "min_position", "min_press_seconded", "min_seconded"):
            if not 0 < config[option] < 1:
                raise InvalidConfigException(
                    f"PressClassifier: {option} is {config[option]}; it must be between 0 and 1."
                )
        for option in ("gamma", "C"):
            if not config[option] > 0:
                raise InvalidConfigException(
                    f"PressClassifier: {option} is {config[option]}; it must be greater than 0."
                )


def _kind(message: Message) -> str:
    if message.get(INTENT) == "press":
        return "press"
    about_intent = (message.get("metadata") or {}).get("intent") or {}
    return "position" if about_intent.get("kind") == "position" else "other"


def _vector(message: Message) -> FloatArray:
    _, sentence = message.get_dense_features(TEXT)
    if sentence is None:
        raise RasaException("PressClassifier needs a SentenceFeaturizer before it in config.yml.")
    vector: FloatArray = sentence.features[0].astype(float)
    return vector


def _features(message: Message, mean: FloatArray) -> FloatArray:
    """Return the sentence vector and the signs of `nlu.press`; shape (dimension + 5,).

    e5 puts all texts into a narrow cone: from its middle, the directions differ.
    """
    vector = _vector(message) - mean
    signs = np.array(press.signs(text_of(message)), float)
    return np.concatenate([vector / max(float(np.linalg.norm(vector)), 1e-9), 0.5 * signs])
