"""What the components share: reading a message's metadata, setting its intent and its entities."""

from __future__ import annotations

from typing import Any

from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message


def text_of(message: Message) -> str:
    """Return what the person typed, or ""."""
    return message.get(TEXT) or ""


def is_button(message: Message) -> bool:
    """Whether it is a pressed button: Rasa reads its payload after the pipeline and drops our findings."""
    return text_of(message).startswith("/")


def metadata_of(message: Message, key: str) -> str:
    """Return a field of the metadata that bot sent (docs/architecture.md §2), or ""."""
    metadata = message.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def intent_of(message: Message) -> tuple[str, float]:
    """Return the intent found so far and its confidence."""
    intent = message.get(INTENT) or {}
    return intent.get("name") or "", float(intent.get("confidence") or 0.0)


def confidence_of(message: Message, name: str) -> float:
    """Return the classifier's confidence in one intent."""
    return next(
        (float(i["confidence"]) for i in message.get(INTENT_RANKING_KEY) or [] if i["name"] == name), 0.0
    )


def set_intent(message: Message, name: str, confidence: float = 1.0) -> None:
    """Make `name` the intent; the ranking behind it stays as the classifier saw it."""
    ranking = [item for item in message.get(INTENT_RANKING_KEY) or [] if item["name"] != name]
    message.set(INTENT, {"name": name, "confidence": confidence}, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [{"name": name, "confidence": confidence}, *ranking], add_to_output=True)


def set_entity(message: Message, entity: str, value: str, extractor: str) -> None:
    """Add an entity that has no place in the text; one of the same name is replaced."""
    kept: list[dict[str, Any]] = [item for item in message.get(ENTITIES) or [] if item["entity"] != entity]
    found = {"entity": entity, "value": value, "start": 0, "end": 0, "extractor": extractor}
    message.set(ENTITIES, [*kept, found], add_to_output=True)
