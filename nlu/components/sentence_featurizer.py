"""Turns a message into the same vector that the knowledge search uses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.messages import is_button, text_of
from nlu.sentence_encoder import SentenceEncoder, SentenceEncoderError

_ROOT = Path(__file__).resolve().parents[2]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds one dense vector per message, made by the embedding model without torch."""

    @staticmethod
    def required_packages() -> list[str]:
        """Return the packages that the encoder imports."""
        return ["onnxruntime", "tokenizers"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the options and what each is for."""
        return {
            **DenseFeaturizer.get_default_config(),
            # The model folder; empty takes CITYDESK_MODEL, then var/model.
            "model": "",
            # e5 was trained with a prefix, and puts all texts into a narrow cone.
            "prefix": "query: ",
            # Unit vectors have entries of about 0.05; larger ones let the classifier's fixed
            # regularisation learn.
            "scale": 8.0,
        }

    def __init__(self, config: dict[str, Any], name: str, encoder: SentenceEncoder) -> None:
        super().__init__(name, config)
        self._config_values = config
        self._encoder = encoder

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceFeaturizer:
        """Load the encoder, and run it once: the first query would otherwise pay for it (lessons R16)."""
        folder = Path(config["model"] or os.environ.get("CITYDESK_MODEL") or _ROOT / "var" / "model")
        try:
            encoder = SentenceEncoder(folder)
        except SentenceEncoderError as error:
            raise RasaException(f"{error} Another model folder can be named in CITYDESK_MODEL.") from error
        encoder.encode(["warm up"], prefix=config["prefix"])
        return cls(config, execution_context.node_name, encoder)

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the vector of each message; a pressed button gets zeros, since nobody reads its features."""
        texts = [text_of(message) for message in messages if not is_button(message)]
        vectors = iter(self._vectors(texts)) if texts else iter(())
        for message in messages:
            vector = (
                np.zeros(self._encoder.dimension, dtype=np.float32) if is_button(message) else next(vectors)
            )
            message.add_features(
                Features(vector.reshape(1, -1), FEATURE_TYPE_SENTENCE, TEXT, self._identifier)
            )
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the vectors of all examples that have a text."""
        self.process([example for example in training_data.training_examples if text_of(example)])
        return training_data

    def _vectors(self, texts: list[str]) -> np.ndarray:
        return (
            self._encoder.encode(texts, prefix=self._config_values["prefix"]) * self._config_values["scale"]
        )

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse a scale that would erase the features."""
        if not config["scale"] > 0:
            raise InvalidConfigException(
                f"SentenceFeaturizer: scale is {config['scale']}; it must be greater than 0."
            )
