"""Tells the dialogue which language a message is answered in."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message

from nlu.components.messages import is_button, metadata_of, set_entity, text_of
from nlu.language import choose_language
from nlu.languages import CODES, supported


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class LanguageIdentifier(GraphComponent):
    """Adds the entity `language`, from which the slot of that name is filled.

    The channel decides (it knows what the person chose and what was spoken before); a message without
    that, from
    `rasa shell` say, is identified by its own words.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options and what each is for."""
        return {
            # The entity that carries the language; the domain fills its slot from it.
            "entity": "language",
            # The language of a message that says nothing and has no metadata; one of nlu/languages.py.
            "default": "en",
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
    ) -> LanguageIdentifier:
        """Create the component; it learns nothing."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the language of each message."""
        for message in messages:
            if not is_button(message):
                language = supported(metadata_of(message, "language"))
                if language is None:
                    language = choose_language(text_of(message), hint=self._config["default"])
                set_entity(message, self._config["entity"], language, type(self).__name__)
        return messages

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse a default language that we do not speak."""
        if config["default"] not in CODES:
            raise InvalidConfigException(
                f"LanguageIdentifier: default is {config['default']!r}; choose one of {CODES}."
            )
