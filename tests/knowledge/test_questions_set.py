"""The question sets: every line well formed, labelled with entries that exist, and enough of them kept for the exam."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
FILES = sorted((REPO / "tests" / "data" / "questions").glob("*.jsonl"))
LANGUAGES = {"vi", "en", "zh", "ko", "ja", "fr", "ru"}
# Entries by file name only: the exam's labels must hold however an entry is worded.
SLUGS = {path.stem for path in (REPO / "knowledge" / "content").glob("*/*.yml")}


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


QUESTIONS = {path.stem: read(path) for path in FILES}
EVERY = [question for questions in QUESTIONS.values() for question in questions]


@pytest.mark.parametrize("name", QUESTIONS)
def test_lines_are_well_formed(name: str) -> None:
    language = re.sub(r"^(fresh|near2?|blind|more)-", "", name).split("-")[0]
    assert language in LANGUAGES
    assert QUESTIONS[name]
    for question in QUESTIONS[name]:
        assert question["lang"] == language, question
        assert question["split"] in {"train", "tune", "test"}, question
        text = question["text"]
        assert text.strip() == text != "", question
        assert unicodedata.is_normalized("NFC", text), question


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name.endswith("vi-plain")])
def test_plain_vietnamese_has_no_diacritics(name: str) -> None:
    assert [question["text"] for question in QUESTIONS[name] if not question["text"].isascii()] == []


def test_fresh_sets_are_exam_only_and_partly_unanswerable() -> None:
    fresh = {name: questions for name, questions in QUESTIONS.items() if name.startswith("fresh-")}
    assert {name.removeprefix("fresh-") for name in fresh} == LANGUAGES | {"vi-plain"}
    for name, questions in fresh.items():
        assert {question["split"] for question in questions} == {"test"}, name
        unanswerable = sum(not question["relevant"] for question in questions) / len(questions)
        assert 0.3 <= unanswerable <= 0.4, name


def test_ids_are_unique() -> None:
    assert len({question["id"] for question in EVERY}) == len(EVERY)


def test_labels_name_entries_that_exist() -> None:
    for question in EVERY:
        assert set(question["relevant"]) <= SLUGS, question
        assert len(set(question["relevant"])) == len(question["relevant"]), question


def test_every_entry_is_asked_about_in_the_exam() -> None:
    asked = {slug for question in EVERY if question["split"] == "test" for slug in question["relevant"]}
    assert SLUGS - asked == set()


def test_there_are_enough_questions_and_enough_kept_for_the_exam() -> None:
    exam = [question for question in EVERY if question["split"] == "test"]
    assert len(EVERY) >= 600
    assert len(exam) / len(EVERY) >= 0.4
