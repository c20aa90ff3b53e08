"""The paragraph set in tests/data/paragraphs is in form: what its README promises about ids, twins and counts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from knowledge.evaluation import read_lines, read_questions
from nlu.languages import CODES

FOLDER = Path(__file__).resolve().parents[1] / "data" / "paragraphs"
TWINS = ("vi", "en")
ARTICLES = 14
PARAGRAPHS = 5
QUESTIONS = 3


def corpus(language: str) -> list[dict[str, Any]]:
    return [row for _, row in read_lines(FOLDER / f"corpus-{language}.jsonl", ("id", "lang", "title", "text"))]


def place(identifier: str) -> str:
    """Return an id without its language: what parallel texts share."""
    return identifier.split("-", 1)[1]


def test_every_paragraph_has_its_twin_in_the_same_order():
    assert [place(row["id"]) for row in corpus("vi")] == [place(row["id"]) for row in corpus("en")]


@pytest.mark.parametrize("language", TWINS)
def test_an_article_is_five_paragraphs_of_one_title(language: str):
    articles: dict[str, list[dict[str, Any]]] = {}
    for row in corpus(language):
        assert row["lang"] == language, row["id"]
        assert row["id"].startswith(f"{language}-"), row["id"]
        articles.setdefault(place(row["id"]).rsplit("-", 1)[0], []).append(row)
    assert len(articles) == ARTICLES
    for name, rows in articles.items():
        numbers = [row["id"].rsplit("-", 1)[1] for row in rows]
        assert numbers == [str(number) for number in range(1, PARAGRAPHS + 1)], name
        assert len({row["title"] for row in rows}) == 1, name
    assert len({rows[0]["title"] for rows in articles.values()}) == len(articles)


@pytest.mark.parametrize(("language", "least", "most"), [("vi", 110, 150), ("en", 90, 140)])
def test_paragraphs_are_dense_but_short(language: str, least: int, most: int):
    # A Vietnamese word is written as one to three syllables, so that its count of spaces is the higher one.
    sizes = {row["id"]: len(row["text"].split()) for row in corpus(language)}
    assert {name: size for name, size in sizes.items() if not least <= size <= most} == {}


@pytest.mark.parametrize("language", CODES)
def test_questions_name_both_twins_of_the_paragraph_in_their_id(language: str):
    known = {row["id"] for each in TWINS for row in corpus(each)}
    for question in read_questions([FOLDER / f"queries-{language}.jsonl"]):
        paragraph = place(question.id).rsplit("-q", 1)[0]
        assert question.lang == language, question.id
        assert question.id.startswith(f"{language}-"), question.id
        assert question.relevant == (f"vi-{paragraph}", f"en-{paragraph}"), question.id
        assert set(question.relevant) <= known, question.id


def test_vietnamese_and_english_ask_the_same_three_questions_of_every_paragraph():
    asked = {each: [place(row.id) for row in read_questions([FOLDER / f"queries-{each}.jsonl"])] for each in TWINS}
    wanted = [f"{place(row['id'])}-q{n}" for row in corpus("vi") for n in range(1, QUESTIONS + 1)]
    assert asked["vi"] == wanted
    assert asked["en"] == wanted


def test_the_other_languages_ask_one_question_of_every_second_paragraph():
    english = {place(row.id) for row in read_questions([FOLDER / "queries-en.jsonl"])}
    others = {
        each: [place(row.id) for row in read_questions([FOLDER / f"queries-{each}.jsonl"])]
        for each in CODES if each not in TWINS
    }
    paragraphs = [place(row["id"]) for row in corpus("en")]
    for language, places in others.items():
        assert set(places) <= english, language
        assert [name.rsplit("-q", 1)[0] for name in places] == paragraphs[::2], language
    assert len({tuple(places) for places in others.values()}) == 1


@pytest.mark.parametrize("language", CODES)
def test_no_question_is_asked_twice(language: str):
    counted = Counter(row.text.casefold() for row in read_questions([FOLDER / f"queries-{language}.jsonl"]))
    assert [text for text, count in counted.items() if count > 1] == []


def test_every_file_is_in_composed_unicode():
    for file in sorted(FOLDER.iterdir()):
        text = file.read_text(encoding="utf-8")
        assert unicodedata.is_normalized("NFC", text), file.name
