"""Language identification on short messages, and when a conversation changes its language."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from nlu.language import OTHER, choose_language, identify

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "language.jsonl").read_text().splitlines()
]


def test_the_set_is_large_enough() -> None:
    assert len(ROWS) >= 250


def test_nineteen_of_twenty_are_right_in_every_language() -> None:
    right, total = Counter(), Counter()
    for row in ROWS:
        kind = row["language"] + row["form"]
        total[kind] += 1
        right[kind] += identify(row["text"]).language == row["language"]
    assert right.total() / total.total() >= 0.97
    weak = {kind: right[kind] / total[kind] for kind in total if right[kind] / total[kind] < 0.93}
    assert weak == {}


@pytest.mark.parametrize(
    "text", ["ok", "BBC", "Sarah Miller", "123", "+84 912 345 678", "sarah@example.org", "👍", ""]
)
@pytest.mark.parametrize("previous", ["vi", "ko", "fr"])
def test_a_text_that_says_nothing_keeps_the_language(text: str, previous: str) -> None:
    assert choose_language(text, previous=previous) == previous


@pytest.mark.parametrize(
    ("text", "previous", "expected"),
    [
        ("When does the pagoda open?", "vi", "en"),
        ("chua vinh trang mo cua luc may gio", "en", "vi"),
        ("永长寺几点开门", "en", "zh"),
        ("Où est l'embarcadère ?", "en", "fr"),
        ("Wann öffnet die Pagode?", "vi", "en"),
        ("営業時間", "ja", "ja"),
        ("营业时间", "ja", "zh"),
    ],
)
def test_clear_words_flip_a_conversation(text: str, previous: str, expected: str) -> None:
    assert choose_language(text, previous=previous) == expected


def test_an_explicit_choice_wins() -> None:
    assert choose_language("When does the pagoda open?", previous="en", chosen="ko") == "ko"


def test_the_channels_hint_is_the_last_resort() -> None:
    assert choose_language("ok", hint="ru") == "ru"
    assert choose_language("ok", hint="de") == "en"
    assert choose_language("ok", previous="ja", hint="ru") == "ja"
    assert choose_language("giá vé bao nhiêu vậy bạn", hint="en") == "vi"


def test_a_language_that_is_none_of_ours_is_told_apart() -> None:
    found = identify("¿Cuánto cuesta el barco?")
    assert (found.language, found.reliable) == (OTHER, True)
