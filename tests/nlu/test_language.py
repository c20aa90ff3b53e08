"""Language identification on short messages, and when a conversation changes its language."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.chinese import chinese_script
from nlu.language import OTHER, Identified, choose_language, identify
from nlu.languages import CODES, DEFAULT

ALL_ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/language.jsonl").read_text(encoding="utf-8").splitlines()
]
AMBIGUOUS = [row["text"] for row in ALL_ROWS if row["form"] == "ambiguous"]
ROWS = [row for row in ALL_ROWS if row["form"] != "ambiguous"]
# What says nothing of its writer's language, or too little: names, brands, one word, one ideogram, numbers.
SHORT = (
    *AMBIGUOUS,
    *("BBC", "Sarah Miller", "Google Maps", "Booking.com", "Thoi Son", "hu tieu", "museum", "restaurant", "bonjour"),
    *("thanks", "ㅋㅋ", "大", "123", "+84 912 345 678", "sarah@example.org", "👍", ""),
)
languages = st.sampled_from(CODES)


def test_the_set_is_large_and_each_row_is_labelled_once() -> None:
    assert len(ROWS) >= 700
    assert len({row["text"] for row in ALL_ROWS}) == len(ALL_ROWS)
    assert {row["language"] for row in ROWS} == {*CODES, OTHER}
    assert Counter(row["split"] for row in ROWS)["test"] >= 300
    assert max(len(row["text"].split()) for row in ROWS) <= 10


@pytest.mark.parametrize("split", ["tune", "test"])
def test_ninety_seven_of_a_hundred_are_right(split: str) -> None:
    right, total = Counter(), Counter()
    for row in ROWS:
        if row["split"] == split:
            kind = row["language"] if row["language"] == OTHER else f"{row['language']} {row['form']}"
            total[kind] += 1
            right[kind] += identify(row["text"]).language == row["language"]
    assert right.total() / total.total() >= 0.97
    weak = {kind: right[kind] / total[kind] for kind in total if total[kind] >= 30 and right[kind] / total[kind] < 0.95}
    assert weak == {}


def test_the_script_of_chinese_is_told() -> None:
    rows = [row for row in ROWS if row["language"] == "zh" and row["form"]]
    wrong = [row["text"] for row in rows if chinese_script(row["text"]) not in (f"Han{row['form'][-1]}", None)]
    silent = [row["text"] for row in rows if chinese_script(row["text"]) is None]
    assert wrong == []
    assert len(silent) / len(rows) < 0.06


@pytest.mark.parametrize("text", ["你好", "中文", "早安", "hello", "", "123"])
def test_what_both_scripts_write_the_same_has_none(text: str) -> None:
    assert chinese_script(text) is None


@pytest.mark.parametrize("previous", CODES)
@pytest.mark.parametrize("text", SHORT)
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
        ("営業時間", "zh", "ja"),
        ("营业时间", "ja", "zh"),
        ("中国", "ja", "ja"),
        ("中国", "zh", "zh"),
    ],
)
def test_clear_words_flip_a_conversation(text: str, previous: str, expected: str) -> None:
    assert choose_language(text, previous=previous) == expected


@given(text=st.text(max_size=60) | st.sampled_from([row["text"] for row in ROWS]), chosen=languages,
       previous=st.none() | languages, hint=st.none() | languages)  # fmt: skip
def test_an_explicit_choice_always_wins(text: str, chosen: str, previous: str | None, hint: str | None) -> None:
    assert choose_language(text, chosen=chosen, previous=previous, hint=hint) == chosen


@given(text=st.text(max_size=60) | st.sampled_from([row["text"] for row in ALL_ROWS]), previous=languages,
       hints=st.tuples(st.none() | languages, st.none() | languages))  # fmt: skip
def test_the_channels_hint_is_silent_in_a_conversation(
    text: str, previous: str, hints: tuple[str | None, str | None]
) -> None:
    first, second = (choose_language(text, previous=previous, hint=hint) for hint in hints)
    assert first == second


@given(text=st.sampled_from(ALL_ROWS), previous=languages)
def test_a_conversation_flips_only_on_sure_evidence(text: dict[str, str], previous: str) -> None:
    found = identify(text["text"], previous=previous)
    expected = (found.language if found.language in CODES else DEFAULT) if found.reliable else previous
    assert choose_language(text["text"], previous=previous) == expected


@given(word=st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), previous=languages)
def test_one_latin_word_never_flips_a_conversation(word: str, previous: str) -> None:
    assert choose_language(word, previous=previous) == previous


@given(language=languages | st.just(OTHER), confidence=st.floats(0, 1), previous=languages)
def test_what_is_not_sure_never_flips(language: str, confidence: float, previous: str) -> None:
    assert choose_language(Identified(language, confidence, reliable=False), previous=previous) == previous


def test_the_channels_hint_is_the_last_resort() -> None:
    assert choose_language("ok", hint="ru") == "ru"
    assert choose_language("ok", hint="de") == DEFAULT
    assert choose_language("ok", previous="ja", hint="ru") == "ja"
    assert choose_language("giá vé bao nhiêu vậy bạn", hint="en") == "vi"


def test_a_language_that_is_none_of_ours_is_told_apart() -> None:
    found = identify("¿Cuánto cuesta el barco?")
    assert (found.language, found.reliable) == (OTHER, True)
