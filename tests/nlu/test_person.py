"""Asking for a person while the dialogue engine is down."""

from __future__ import annotations

import pytest

from nlu.person import asks_for_person


@pytest.mark.parametrize(
    "text",
    [
        "I want to talk to a person",
        "i want to talk to a person!",
        "Tôi muốn gặp cán bộ",
        "toi muon gap can bo",
        "转人工。",
        "담당자",
    ],
)
def test_a_sentence_the_engine_was_taught_is_understood_without_it(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize("text", ["", "?", "When does the pagoda open?", "Is there a person in the museum?", "người"])
def test_a_question_is_no_order_for_a_person(text: str) -> None:
    assert not asks_for_person(text)
