"""Lets certain cues decide where a classifier only guesses: emergencies, press, languages by name."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from nlu import emergency, press
from nlu.components.messages import intent_of, is_button, set_entity, set_intent, text_of
from nlu.phrases import language_named


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class PressDetector(GraphComponent, IntentClassifier):
    """Overrules the classifier with confidence 1.0 where `nlu.emergency` or `nlu.press` finds a cue."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Return what must stand before this component."""
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options and what each is for."""
        return {
            # The intents that the cues stand for.
            "emergency_intent": "emergency",
            "press_intent": "press",
            # A message that names a language and says more is a choice only when the classifier is this sure:
            # "do guides speak Korean?" is a question to the city.
            "min_language_confidence": 0.7,
            # A message with a cue of an emergency is a press request only when the classifier is this sure.
            "min_press_confidence": 0.85,
            "min_press_confidence_with_cue": 0.7,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PressDetector:
        """Create the component; it learns nothing."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Set the intent of each message that holds a cue."""
        for message in messages:
            if is_button(message):
                continue
            text = text_of(message)
            cue = press.detect(text)
            # "Reuters asks for a comment on the fire" calls nobody to a fire.
            name, confidence = intent_of(message)
            least = self._config["min_press_confidence" if cue is None else "min_press_confidence_with_cue"]
            is_press = name == self._config["press_intent"] and confidence >= least
            if not is_press and emergency.detect(text):
                set_intent(message, self._config["emergency_intent"])
            elif cue:
                set_intent(message, self._config["press_intent"])
            elif (named := language_named(text)) and (named.alone or self._chooses(message)):
                # A language by name is a choice; "change language" alone opens the menu.
                set_intent(message, "set_language")
                set_entity(message, "language", named.code, type(self).__name__)
        return messages

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse a confidence that is none."""
        value = config["min_language_confidence"]
        if not 0 <= value <= 1:
            raise InvalidConfigException(
                f"PressDetector: min_language_confidence is {value}; it must be from 0 to 1."
            )

    def _chooses(self, message: Message) -> bool:
        name, confidence = intent_of(message)
        return name == "choose_language" and confidence >= self._config["min_language_confidence"]
