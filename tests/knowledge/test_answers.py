from __future__ import annotations

import datetime as dt

import pytest

from knowledge.answers import load_answer, load_questions, starter_questions
from knowledge.models import Sensitivity, Translation
from tests.knowledge.builders import entry, translation

pytestmark = pytest.mark.django_db


def test_an_answer_comes_in_the_readers_language_with_source_and_date():
    made = entry("pagoda", place_name="Chùa", address="Phường Mỹ Phong", latitude=10.3, longitude=106.3)
    translation(made, "vi", "Chùa mở cửa khi nào?", "Mở cửa 6 giờ.")
    translation(made, "ko", "언제 열어요?", "6시에 엽니다.")
    answer = load_answer("pagoda", "ko")
    assert (answer.text, answer.language, answer.fallback) == ("6시에 엽니다.", "ko", False)
    assert answer.source == {"title": "A paper", "url": "https://example.org/a"}
    assert answer.verified_on == "2026-11-22"
    assert answer.place == {"name": "Chùa", "latitude": 10.3, "longitude": 106.3, "address": "Phường Mỹ Phong"}


@pytest.mark.parametrize(("languages", "given"), [(("vi", "en"), "en"), (("vi",), "vi"), (("vi", "fr"), "vi")])
def test_a_reader_without_a_translation_gets_english_then_vietnamese_marked_as_fallback(languages, given):
    made = entry("pagoda")
    for language in languages:
        translation(made, language, f"question {language}")
    answer = load_answer("pagoda", "ja")
    assert (answer.language, answer.fallback) == (given, True)


@pytest.mark.parametrize("change", [
    {"live": False}, {"sensitivity": Sensitivity.INTERNAL}, {"valid_until": dt.date(2020, 1, 1)},
    {"valid_from": dt.date(2099, 1, 1)},
])
def test_what_is_withdrawn_internal_or_out_of_its_dates_is_not_answered(change):
    made = entry("pagoda")
    translation(made, "vi", "Chùa?")
    assert load_answer("pagoda", "vi") is not None
    for name, value in change.items():
        setattr(made, name, value)
    made.save()
    assert load_answer("pagoda", "vi") is None
    assert load_questions(["pagoda"], "vi") == []


def test_a_draft_translation_is_never_shown():
    made = entry("pagoda")
    translation(made, "vi", "Chùa?")
    translation(made, "ko", "사원?", live=False)
    assert load_answer("pagoda", "ko").language == "vi"


def test_a_major_edit_of_the_original_marks_its_translation_as_out_of_date():
    made = entry("pagoda")
    original = translation(made, "vi", "Chùa?", "Mở cửa 6 giờ.")
    translation(made, "en", "Pagoda?", source_language="vi", source_version=1)
    assert not load_answer("pagoda", "en").outdated
    before = Translation.objects.get(pk=original.pk)
    original.answer, original.significance = "Mở cửa 7 giờ.", "major"
    original.count_version(before)
    original.save()
    assert (original.version, original.major_version) == (2, 2)
    assert load_answer("pagoda", "en").outdated


def test_questions_for_buttons_keep_the_order_asked_for():
    for slug in ("a", "b"):
        translation(entry(slug), "vi", f"Hỏi {slug}?")
    assert load_questions(["b", "missing", "a"], "fr") == [("b", "Hỏi b?"), ("a", "Hỏi a?")]


def test_starter_questions_are_the_most_asked_in_the_readers_language():
    for slug, priority in (("low", 10), ("high", 90)):
        translation(entry(slug, priority=priority), "fr", f"Question {slug} ?")
    assert starter_questions("fr", 1) == ["Question high ?"]
