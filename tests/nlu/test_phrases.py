"""Commands, corrections and language names in every language."""

from __future__ import annotations

import pytest

from nlu.phrases import command, correction, field_named, language_named, looks_like_question


@pytest.mark.parametrize(
    "text", ["Cancel!", "hủy", "huy", "取消", "취소", "キャンセル", "annuler", "Отмена."]
)
def test_cancel(text: str) -> None:
    assert command(text) == "cancel"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("correct the deadline", "deadline"),
        ("sửa email", "contact"),
        ("sua ten", "name"),
        ("修改主题", "subject"),
        ("이메일을 수정할게요", "contact"),
        ("締め切りを修正", "deadline"),
        ("corriger le pays", "country"),
        ("исправить издание", "outlet"),
        ("edit", ""),
        ("sửa lại", ""),
    ],
)
def test_corrections(text: str, field: str) -> None:
    assert correction(text, "press") == field


@pytest.mark.parametrize(
    "text", ["The change of the provinces and its effects on fishermen", "Sarah Miller", "Exchange rates"]
)
def test_no_corrections(text: str) -> None:
    assert correction(text, "press") is None


def test_each_form_has_its_own_fields() -> None:
    assert correction("sửa địa điểm", "complaint") == "place"
    assert correction("sửa địa điểm", "press") is None
    assert correction("분야를 수정할게요", "investment") == "sector"
    assert correction("sửa lại", "human") is None


def test_a_field_by_name() -> None:
    assert field_named("the e-mail", "press") == "contact"
    assert field_named("pagoda", "press") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("English please", "en"),
        ("nói tiếng Việt", "vi"),
        ("한국어로 해 주세요", "ko"),
        ("用中文回答", "zh"),
        ("日本語でお願いします", "ja"),
        ("en français s'il vous plaît", "fr"),
        ("на русском, пожалуйста", "ru"),
        ("speak Korean", "ko"),
    ],
)
def test_a_language_by_name(text: str, code: str) -> None:
    named = language_named(text)
    assert named is not None
    assert (named.code, named.alone) == (code, True)


def test_a_question_about_a_language_is_not_a_choice_by_itself() -> None:
    named = language_named("Do the guides speak Korean?")
    assert named is not None
    assert not named.alone
    assert language_named("Korean or Japanese?") is None


@pytest.mark.parametrize(
    "text",
    ["when does it open", "mấy giờ mở cửa", "几点开门", "몇 시예요", "何時ですか", "c'est où", "где это"],
)
def test_questions(text: str) -> None:
    assert looks_like_question(text)


def test_names_are_no_questions() -> None:
    assert not looks_like_question("Sarah Miller, BBC")
