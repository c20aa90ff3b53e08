"""From the dialogue's items to replies and one outcome."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Outcome
from bot.notes import lines_under
from bot.replies import PRECEDENCE, Choice, payload, read_items
from nlu.languages import CODES


def turn(outcome: str, **fields: Any) -> dict[str, Any]:
    return {"custom": {"kind": "turn", "outcome": outcome, **fields}}


def test_a_text_with_buttons_becomes_a_draft_with_choices() -> None:
    drafts, ending = read_items(
        [
            {"text": "Which one?", "buttons": [{"title": "A", "payload": "/a"}]},
            turn("form", form="press", requested="press_name"),
        ]
    )
    assert drafts[0].choices == [Choice("A", "/a")]
    assert (ending.outcome, ending.form, ending.requested) == (Outcome.FORM, "press", "press_name")


def test_choices_belong_to_the_text_before_them() -> None:
    drafts, _ = read_items(
        [
            {"text": "one"},
            {"text": "two"},
            {"custom": {"kind": "choices", "entries": ["a", "b"], "human": True}},
            turn("clarify"),
        ]
    )
    assert [(draft.entries, draft.human) for draft in drafts] == [([], False), (["a", "b"], True)]


def test_choices_without_a_text_are_not_lost() -> None:
    drafts, _ = read_items(
        [{"custom": {"kind": "choices", "entries": ["a"], "human": False}}, turn("clarify")]
    )
    assert drafts[0].entries == ["a"]


def test_a_question_in_the_middle_of_a_form_is_answered_and_the_form_stays_open() -> None:
    drafts, ending = read_items(
        [
            {"custom": {"kind": "answer", "entry": "pagoda-hours"}},
            turn("answered", entry="pagoda-hours", score=0.9, entry_language="ko", intent="ask"),
            {"text": "Which outlet?"},
            turn("form", form="press", requested="press_outlet"),
        ]
    )
    assert [draft.entry or draft.text for draft in drafts] == ["pagoda-hours", "Which outlet?"]
    assert ending.outcome == Outcome.ANSWERED
    assert (ending.entry, ending.score, ending.form, ending.requested) == (
        "pagoda-hours",
        0.9,
        "press",
        "press_outlet",
    )


def test_every_outcome_has_a_place_in_the_precedence() -> None:
    assert sorted(PRECEDENCE) == sorted(Outcome)


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(PRECEDENCE, 2)))
def test_of_two_outcomes_the_graver_counts_in_either_order(first: Outcome, second: Outcome) -> None:
    assert read_items([turn(first), turn(second)])[1].outcome == first
    assert read_items([turn(second), turn(first)])[1].outcome == first


def test_nothing_said_about_the_end_is_a_failure() -> None:
    assert read_items([{"text": "hm"}])[1].outcome == Outcome.FAILED


@given(st.text(max_size=50))
def test_an_order_keeps_whatever_stands_in_its_entities(value: str) -> None:
    import json

    order = payload("show_entry", entry=value)
    assert order.startswith("/show_entry{")
    assert json.loads(order[len("/show_entry") :]) == {"entry": value}


@pytest.mark.parametrize("language", CODES)
def test_the_lines_under_an_answer_name_source_date_place_and_fallback(language: str) -> None:
    other = "vi" if language != "vi" else "en"
    reply = {
        "text": "x",
        "fallback": True,
        "outdated": True,
        "event": "15–16/4",
        "clarification": True,
        "language": other,
        "verified_on": "2026-11-05",
        "source": {"title": "Cổng tỉnh", "url": "https://example.org"},
        "place": {"name": "Chùa", "address": "Mỹ Tho", "latitude": 1.0, "longitude": 2.0},
    }
    clarification, fallback, outdated, event, place, source = lines_under(reply, language)
    assert "✅" in clarification.text
    assert "2026" in clarification.text
    assert "15–16/4" in event.text
    assert "Mỹ Tho" in place.text
    assert source.link in source.text
    assert "2026" in source.text
    assert fallback.text != outdated.text
    assert lines_under({"text": "x"}, language) == []
