"""Follow-ups through the dialogue engine, in every language: taken for questions, searched with what was answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlu.languages import CODES
from tests.conversations.conftest import Chat, Desk

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "followups.jsonl").read_text(encoding="utf-8").splitlines()
]
pytestmark = pytest.mark.rasa


@pytest.mark.parametrize("language", [*CODES, "vi-plain"])
def test_follow_ups_reach_the_search_with_what_was_answered(desk: Desk, language: str) -> None:
    rows = [row for row in ROWS if row["lang"] == language and row["refers"]]
    chat = Chat(desk, language[:2])
    lost = []
    for row in rows:
        chat.order(f'/show_entry{{"entry": "{row["about"]}", "language": "{language[:2]}"}}')
        asked = len(desk.knowledge.asked)
        chat.say(row["text"])
        if [each.get("about") for each in desk.knowledge.asked[asked:]] != [row["about"]]:
            lost.append((row["text"], chat.last.turns))
    # One in twenty; of a language with fewer rows, one.
    assert len(lost) <= max(1, len(rows) / 20), lost
