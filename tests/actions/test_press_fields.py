"""What each field of the press form takes, and what it says about the rest."""

from __future__ import annotations

import pytest

from actions import press_fields
from actions.press_fields import (
    FieldError,
    check_contact,
    check_country,
    check_deadline,
    check_format,
    check_name,
    check_outlet,
    check_subject,
)
from nlu.languages import CODES


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sarah Miller", "Sarah Miller"),
        ("my name is Sarah Miller", "Sarah Miller"),
        ("王小明", "王小明"),
        ("我叫李娜", "李娜"),
        ("제 이름은 박지영입니다", "박지영"),
        ("田中花子と申します", "田中花子"),
        ("Je m'appelle Luc Martin", "Luc Martin"),
        ("меня зовут Анна", "Анна"),
        ("Tôi tên là Trần Thị Mai", "Trần Thị Mai"),
        ("Yaël Ó Briain", "Yaël Ó Briain"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert check_name(text).value == name


def test_a_name_with_an_abbreviation_tells_the_outlet_too() -> None:
    checked = check_name("Sarah Miller, BBC")
    assert (checked.value, checked.also) == ("Sarah Miller", ("press_outlet", "BBC"))


@pytest.mark.parametrize("text", ["", "x", "12345", "a@b.org", "!!!"])
def test_no_names(text: str) -> None:
    with pytest.raises(FieldError, match="utter_press_bad_name"):
        check_name(text)


def test_outlets_and_countries() -> None:
    assert check_outlet("I work for Reuters").value == "Reuters"
    assert check_outlet("TF1").value == "TF1"
    assert check_country("from France").value == "France"
    with pytest.raises(FieldError, match="utter_press_bad_outlet"):
        check_outlet("7")
    with pytest.raises(FieldError, match="utter_press_bad_country"):
        check_country("123")


def test_a_subject_needs_ten_characters_or_five_ideograms() -> None:
    assert check_subject("合并后的旅游政策").value == "合并后的旅游政策"
    for text in ("short", "    a      ", "1234567890"):
        with pytest.raises(FieldError, match="utter_press_bad_subject"):
            check_subject(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("interview", "interview"),
        ("phỏng vấn trực tiếp", "interview"),
        ("采访", "interview"),
        ("인터뷰", "interview"),
        ("written answers please", "written"),
        ("bằng văn bản", "written"),
        ("书面答复", "written"),
        ("서면", "written"),
        ("書面での回答", "written"),
        ("réponses écrites", "written"),
        ("письменные ответы", "written"),
        ("we want to film", "filming"),
        ("quay phim", "filming"),
        ("拍摄", "filming"),
        ("촬영", "filming"),
        ("撮影", "filming"),
        ("tournage", "filming"),
        ("видеосъёмка", "filming"),
        ("chụp ảnh", "photo"),
        ("фото", "photo"),
        ("写真撮影", "photo"),
        ("visite", "visit"),
        ("参观", "visit"),
        ("посещение", "visit"),
        ("something else", "other"),
        ("khác", "other"),
    ],
)
def test_formats(text: str, code: str) -> None:
    assert check_format(text, "en").value == code


def test_a_format_is_shown_in_the_readers_language() -> None:
    labels = {check_format("interview", language).label for language in CODES}
    assert len(labels) == len(CODES) - 1  # English and French write it alike
    with pytest.raises(FieldError, match="utter_press_bad_format"):
        check_format("bananas", "en")


@pytest.mark.parametrize(
    "text", ["none", "no", "no deadline", "không có hạn", "没有", "없음", "なし", "pas de date limite", "нет"]
)
def test_no_deadline(text: str) -> None:
    assert check_deadline(text, "en").value == "none"


def test_urgent_keeps_the_words() -> None:
    checked = check_deadline("càng sớm càng tốt", "vi")
    assert (checked.value, checked.label) == ("none", "càng sớm càng tốt")


def test_deadlines_say_what_is_wrong() -> None:
    assert check_deadline("15/01/2030 17:00", "en").value == "2030-01-15T17:00+07:00"
    with pytest.raises(FieldError, match="utter_press_past_deadline"):
        check_deadline("1/1/2020", "en")
    with pytest.raises(FieldError, match="utter_press_bad_deadline"):
        check_deadline("whatever you think", "en")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sarah@example.org", "sarah@example.org"),
        ("my mail is sarah@example.org.", "sarah@example.org"),
        ("+44 20 7946 0958", "+44 20 7946 0958"),
        ("0044 20 7946 0958", "+44 20 7946 0958"),
        ("0912345678", "+84 912 345 678"),
        ("＋８２ 2 1234 5678", "+82 2-1234-5678"),
        ("sarah@example.org or +44 20 7946 0958", "sarah@example.org, +44 20 7946 0958"),
        ("this chat", "chat"),
        ("tại đây", "chat"),
        ("这里", "chat"),
        ("여기", "chat"),
        ("ここ", "chat"),
        ("ici", "chat"),
        ("здесь", "chat"),
    ],
)
def test_contacts(text: str, value: str) -> None:
    assert check_contact(text, "en").value == value


@pytest.mark.parametrize("text", ["sarah@", "12345", "@sarah", "", "call me", "+1 555"])
def test_no_contacts(text: str) -> None:
    with pytest.raises(FieldError, match="utter_press_bad_contact"):
        check_contact(text, "en")


def test_every_error_has_a_response() -> None:
    import re

    from bot.texts import read_responses

    named = set(re.findall(r'"(utter_press_\w+)"', press_fields.Path(press_fields.__file__).read_text()))
    assert named <= set(read_responses())
