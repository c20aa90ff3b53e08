"""A question for the city's position is answered with an approved statement only, else handed to a person."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import position
from knowledge.client import Found


def tracker(text: str, entities: list[dict[str, Any]] | None = None, loop: str = "") -> Tracker:
    message = {"text": text, "intent": {"name": "ask"}, "entities": entities or []}
    return Tracker("s", {}, message, [], False, None, {"name": loop} if loop else {}, "action_listen")


def test_words_and_training_both_say_so() -> None:
    assert position.asks_position(tracker("What is the city's position on the South China Sea?"))
    assert position.asks_position(tracker("?", [{"entity": "position", "value": "asked"}]))
    assert not position.asks_position(tracker("when does the pagoda open"))


def test_a_person_is_asked_and_an_open_form_goes_on() -> None:
    dispatcher = CollectingDispatcher()
    (event,) = position.to_person(dispatcher, tracker("?"))
    assert (event["event"], event["name"]) == ("followup", "human_form")
    assert dispatcher.messages[0]["response"] == "utter_position_to_person"
    dispatcher = CollectingDispatcher()
    assert position.to_person(dispatcher, tracker("?", loop="press_form")) == []
    assert [message["custom"].get("kind") for message in dispatcher.messages[1:]] == ["choices", "turn"]


@pytest.mark.parametrize("statement", [True, False])
def test_only_a_statement_answers(monkeypatch: pytest.MonkeyPatch, statement: bool) -> None:
    monkeypatch.setattr(position, "_is_statement", lambda slug: statement and slug == "east-sea")
    found = Found("answered", "east-sea", "vi", 0.9)
    assert asyncio.run(position.answers_position(found)) is statement
    assert not asyncio.run(position.answers_position(Found("not_known", None, None, None)))
