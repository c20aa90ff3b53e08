"""What each field of the press form takes, and what it says about the rest."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from actions import complaint, fields, human, investment, press, press_fields
from actions.deadline import CITY
from actions.fields import check_country
from actions.form_model import Checked, FieldError, Reading
from actions.press_fields import check_outlet, check_subject, check_zone, prefill_zone
from nlu.languages import CODES

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=CITY)


def reading(language: str = "en", **known: str) -> Reading:
    return Reading(language, known, "press")


def check_name(text: str) -> Checked:
    return press_fields.check_name_and_outlet(text, reading())


def check_format(text: str, language: str) -> Checked:
    return press_fields.check_format(text, reading(language))


def check_deadline(text: str, language: str, **known: str) -> Checked:
    return press_fields.check_deadline(text, reading(language, **known), NOW)


def check_contact(text: str, language: str) -> Checked:
    return fields.check_contact(text, reading(language))


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
    assert (checked.value, checked.also) == ("Sarah Miller", {"outlet": "BBC"})


@pytest.mark.parametrize("text", ["", "x", "12345", "a@b.org", "!!!"])
def test_no_names(text: str) -> None:
    with pytest.raises(FieldError, match="utter_form_bad_name"):
        check_name(text)


def test_outlets_and_countries() -> None:
    assert check_outlet("I work for Reuters", reading()).value == "Reuters"
    assert check_outlet("TF1", reading()).value == "TF1"
    assert check_country("from France", reading()).value == "France"
    with pytest.raises(FieldError, match="utter_press_bad_outlet"):
        check_outlet("7", reading())
    with pytest.raises(FieldError, match="utter_form_bad_country"):
        check_country("123", reading())


def test_a_subject_needs_ten_characters_or_five_ideograms() -> None:
    assert check_subject("合并后的旅游政策", reading()).value == "合并后的旅游政策"
    for text in ("short", "    a      ", "1234567890"):
        with pytest.raises(FieldError, match="utter_press_bad_subject"):
            check_subject(text, reading())


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
    with pytest.raises(FieldError, match="utter_form_bad_contact"):
        check_contact(text, "en")


def test_every_error_has_a_response() -> None:
    from bot.texts import read_responses

    folder = Path(fields.__file__).parent
    named = {name for file in folder.glob("*.py") for name in re.findall(r'"(utter_\w+)"', file.read_text())}
    assert {name for name in named if "_bad_" in name} > {"utter_press_bad_zone", "utter_form_bad_contact"}
    assert named <= set(read_responses())


def test_every_field_of_every_form_is_asked_and_can_be_corrected() -> None:
    from bot.texts import read_responses
    from nlu.phrases import _lists

    said = read_responses()
    for form in (press.PRESS, investment.INVESTMENT, complaint.COMPLAINT, human.HUMAN):
        assert {f"utter_ask_{form.slot(each.name)}" for each in form.fields} <= set(said)
        assert f"utter_{form.name}_sent" in said
        if form.name != "human":
            assert set(_lists()[f"form.{form.name}"]) == {each.name for each in form.fields if each.correctable}


def test_a_deadline_is_in_the_time_that_its_words_name() -> None:
    checked = check_deadline("27/11 17:00 KST", "en", country="France")
    assert (checked.value, checked.also["zone"]) == ("2026-11-27T15:00+07:00", "Asia/Seoul")
    assert checked.label == "27 November 2026, 17:00 (Seoul) = 27 November 2026, 15:00 (GMT+7)"
    assert check_deadline("27/11 17:00 GMT+9", "en").also["zone"] == "Etc/GMT-9"


def test_a_deadline_is_in_the_time_of_the_country_else_it_is_asked_for_an_hour() -> None:
    assert check_deadline("27/11 17:00", "fr", country="Belgique").value == "2026-11-27T23:00+07:00"
    words = {"deadline_words": "27/11 17:00"}
    assert prefill_zone("", reading(country="Belgique", **words)) == "Europe/Brussels"
    assert prefill_zone("", reading(country="USA", **words)) is None
    assert prefill_zone("", reading(country="USA", deadline_words="27/11")) == "city"
    assert prefill_zone("", reading(country="USA")) == "city"


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("New York", "America/New_York"), ("London time", "Europe/London"), ("KST", "Asia/Seoul"),
        ("GMT-5", "Etc/GMT+5"), ("뉴욕", "America/New_York"), ("city", ""), ("Việt Nam", "Asia/Ho_Chi_Minh"),
    ],
)
def test_zones(text: str, zone: str) -> None:
    assert check_zone(text, reading(), NOW).value == zone


def test_the_deadline_is_read_again_in_the_zone_that_was_asked() -> None:
    checked = check_zone("New York", reading(deadline_words="27/11 17:00"), NOW)
    assert checked.also["deadline"] == "2026-11-28T05:00+07:00"
    # Nine in the evening of the day before in New York: seven in Sydney has passed.
    with pytest.raises(FieldError, match="utter_press_past_deadline") as refused:
        check_zone("Sydney", reading(deadline_words="23/11 10:00"), NOW)
    assert "deadline" in refused.value.also
    with pytest.raises(FieldError, match="utter_press_bad_zone"):
        check_zone("Atlantis", reading(), NOW)
