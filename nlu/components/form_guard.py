"""Decides what a message means while a form waits for an answer, and what an unclear message means at all."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from nlu.components.messages import (
    confidence_of,
    intent_of,
    is_button,
    metadata_of,
    set_entity,
    set_intent,
    text_of,
)
from nlu.phrases import command, correction, field_named, is_command, looks_like_question

# Intents that only a form understands; outside of one the same words are a question to the city.
_FORM_ONLY = ("inform", "correct", "resume", "affirm", "deny")
# What nobody says as a question: "can one swim in the river" is none of these.
_POLITE = ("greet", "thanks", "bye")
# Forms that begin when the classifier says so, without a cue; and the length of a text that makes it too sure.
_FORMS = ("complaint", "investment")
_LONG = 300


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class FormGuard(GraphComponent, IntentClassifier):
    """Has the last word on the intent.

    The channel says which slot waits (`metadata["requested"]`). What is typed then is the answer
    (`inform`), unless it is clearly an order (cancel, correct, a person, another language), an emergency,
    or a question to the city.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Return what must stand before this component."""
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options and what each is for."""
        return {
            # Below this confidence any intent but `ask` becomes `ask`: the search decides on unclear texts.
            "min_confidence": 0.5,
            # These interrupt what somebody wanted: without a cue (confidence 1) the classifier must be surer.
            "min_confidence_of": {
                "emergency": 0.9, "press": 0.7, "choose_language": 0.7, "investment": 0.7, "complaint": 0.7,
            },
            # A form is left for another intent only when the classifier is this sure.
            "min_interrupt_confidence": 0.7,
            # Slots that hold the person's own words: questions belong there, so only whole commands
            # interrupt.
            "free_text": ["press_subject", "human_message", "investment_subject", "complaint_subject"],
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
    ) -> FormGuard:
        """Create the component; it learns nothing."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Settle the intent of each message."""
        for message in messages:
            if is_button(message):
                # What stays so is an order that nobody knows; Rasa puts the intent of every other in its
                # place.
                set_intent(message, "ask")
                continue
            requested = metadata_of(message, "requested")
            if requested:
                self._in_form(message, requested)
            else:
                self._outside(message)
        return messages

    def _outside(self, message: Message) -> None:
        name, confidence = intent_of(message)
        text = text_of(message)
        order = command(text)
        if order == "language":
            set_intent(message, "choose_language")
        elif order in ("cancel", "help", "human", "thanks", "greet", "bye", "affirm", "deny"):
            set_intent(message, order)
        elif (
            name in _FORM_ONLY
            or confidence < self._needed(name)
            or (name in _POLITE and looks_like_question(text))
            # Counted words make the classifier the surer, the longer a text is: a long question is one all the same.
            or (name in _FORMS and len(text) > _LONG and looks_like_question(text))
        ):
            set_intent(message, "ask", max(confidence_of(message, "ask"), 1 - confidence))

    def _needed(self, name: str) -> float:
        return self._config["min_confidence_of"].get(name, self._config["min_confidence"])

    def _in_form(self, message: Message, requested: str) -> None:
        text = text_of(message)
        name, confidence = intent_of(message)
        if name == "emergency" and confidence == 1.0:
            return
        # "French" is a language, but as the answer to "which country" it is one.
        if (
            name == "set_language"
            and confidence == 1.0
            and not (requested.endswith("_country") and " " not in text.strip())
        ):
            return
        form, _, asked = requested.partition("_")
        if is_command(text, "cancel") and not (asked == "confirm" and is_command(text, "deny")):
            set_intent(message, "cancel")
        elif (field := self._to_correct(text, form, asked)) is not None:
            set_intent(message, "correct")
            if field:
                set_entity(message, "field", field, type(self).__name__)
        elif asked in ("confirm", "consent") and (is_command(text, "affirm") or is_command(text, "deny")):
            # The check of the field reads the yes (actions/forms.py), and explains itself to a no.
            set_intent(message, "inform")
        elif (order := command(text)) in ("human", "language", "resume", "help"):
            set_intent(message, "choose_language" if order == "language" else str(order))
        elif requested in self._config["free_text"]:
            # A press request written to "a person" goes the press way when a cue says so (the classifier alone takes
            # "the street light in front of my house is broken" for one); in the press form it is its subject.
            if not (name == "press" and confidence == 1.0 and requested == "human_message"):
                set_intent(message, "inform")
        elif not self._interrupts(message, text, name, confidence):
            set_intent(message, "inform")

    def _to_correct(self, text: str, form: str, asked: str) -> str | None:
        """Return the slot to correct, "" when none is named, None when the message is no correction."""
        field = correction(text, form)
        if field is None and asked in ("confirm", "field"):
            # The summary is on the screen, or the buttons with the fields: a field's name alone is enough.
            field = field_named(text, form)
            if field is None and asked == "confirm" and is_command(text, "deny"):
                field = ""
        return f"{form}_{field}" if field else field

    def _interrupts(self, message: Message, text: str, name: str, confidence: float) -> bool:
        """Whether the message leaves the form for a while; its intent stands then (or becomes `ask`)."""
        if command(text) in ("thanks", "greet", "bye"):
            set_intent(message, str(command(text)))
            return True
        if looks_like_question(text):
            if name == "ask" or confidence_of(message, "ask") > confidence_of(message, "inform"):
                set_intent(message, "ask", max(confidence_of(message, "ask"), 0.5))
                return True
            return False
        # Without a question's shape only an order does: "I want to talk to a person", "change the language".
        return (
            name in ("human", "choose_language", "cancel")
            and confidence >= self._config["min_interrupt_confidence"]
        )

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse confidences that are none."""
        options = {option: config[option] for option in ("min_confidence", "min_interrupt_confidence")}
        for option, value in {**options, **config["min_confidence_of"]}.items():
            if not 0 <= value <= 1:
                raise InvalidConfigException(f"FormGuard: {option} is {value}; it must be between 0 and 1.")
