"""Checks what a journalist answers, field by field; says which response explains a mistake."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import phonenumbers
import yaml
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from actions.deadline import DeadlineError, PastDeadlineError, read_deadline
from nlu.text import fold

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ("name", "outlet", "country", "subject", "format", "deadline", "contact")
MIN_SUBJECT = 10
_UNSPACED = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_EMAIL = re.compile(r"[^\s<>,;:()\[\]]+@[^\s<>,;:()\[\]]+\.[^\s<>,;:()\[\]]+")
_PHONE = re.compile(r"(?:\+|00)?\d[\d\s().-]{6,20}\d")
# "Sarah Miller, BBC": an abbreviation after a comma is the outlet.
_NAME_AND_OUTLET = re.compile(
    r"^(?P<name>[^,;/]+?)\s*[,;/]\s*(?P<outlet>[A-Z][A-Z0-9.&-]{1,9}(?:\s+[\w .&-]+)?)$"
)


class FieldError(Exception):
    """A value that a field does not take; `response` is the utterance that says why."""

    def __init__(self, response: str) -> None:
        super().__init__(response)
        self.response = response


@dataclass(frozen=True)
class Checked:
    """A value as it is stored, and what is shown of it in the summary."""

    value: str
    label: str
    # Another field that the same words answer.
    also: tuple[str, str] | None = None


def check_name(text: str) -> Checked:
    """Accept two letters or more; a name is no number and no address."""
    value = _plain(text)
    both = _NAME_AND_OUTLET.match(value)
    also = None
    if both:
        value, also = both["name"], ("press_outlet", both["outlet"])
    if _letters(value) < 2 or len(value) > 100 or "@" in value or _digits(value) > 2:
        raise FieldError("utter_press_bad_name")
    return Checked(value, value, also)


def check_outlet(text: str) -> Checked:
    """Accept anything that has two letters (channels have numbers in their names)."""
    value = _plain(text)
    if _letters(value) < 2 or len(value) > 150 or "@" in value:
        raise FieldError("utter_press_bad_outlet")
    return Checked(value, value)


def check_country(text: str) -> Checked:
    """Accept a name without digits."""
    value = _plain(text)
    if not _letters(value) >= 2 or len(value) > 60 or _digits(value) or "@" in value:
        raise FieldError("utter_press_bad_country")
    return Checked(value, value)


def check_subject(text: str) -> Checked:
    """Accept a description: ten characters, where an ideogram or a Korean syllable counts as two."""
    value = " ".join(text.split())
    if len(value) + len(_UNSPACED.findall(value)) < MIN_SUBJECT or _letters(value) < 4:
        raise FieldError("utter_press_bad_subject")
    return Checked(value, value)


def check_format(text: str, language: str) -> Checked:
    """Accept a button's value, or words that mean one of them."""
    folded = fold(text)
    formats: dict[str, list[str]] = _words()["formats"]
    if text in formats:
        return Checked(text, button_label("utter_ask_press_format", text, language))
    for code, words in formats.items():
        if any(_says(folded, word) for word in words):
            return Checked(code, button_label("utter_ask_press_format", code, language))
    raise FieldError("utter_press_bad_format")


def check_deadline(text: str, language: str, now: datetime | None = None) -> Checked:
    """Accept a future moment in the city's zone, "no deadline", or "as soon as possible"."""
    said = _bare(text)
    if text == "none" or said in _bares("no_deadline"):
        return Checked("none", button_label("utter_ask_press_deadline", "none", language))
    if said in _bares("soon"):
        return Checked("none", text.strip())
    try:
        moment = read_deadline(text, language, now)
    except PastDeadlineError:
        raise FieldError("utter_press_past_deadline") from None
    except DeadlineError:
        raise FieldError("utter_press_bad_deadline") from None
    return Checked(moment.isoformat(timespec="minutes"), f"{moment:%Y-%m-%d %H:%M} (GMT+7)")


def check_contact(text: str, language: str) -> Checked:
    """Accept an e-mail address, an international telephone number (or both), or this chat."""
    if text == "chat" or _bare(text) in _bares("this_chat"):
        return Checked("chat", button_label("utter_ask_press_contact", "chat", language))
    plain = unicodedata.normalize("NFKC", text)
    found: list[str] = []
    for match in _EMAIL.finditer(plain):
        address = match.group(0).strip(".")
        try:
            validate_email(address)
        except ValidationError:
            continue
        found.append(address)
    for match in _PHONE.finditer(_EMAIL.sub(" ", plain)):
        number = _phone(match.group(0))
        if number:
            found.append(number)
    if not found:
        raise FieldError("utter_press_bad_contact")
    value = ", ".join(dict.fromkeys(found))
    return Checked(value, value)


def _phone(text: str) -> str | None:
    """Return a number in international form; one without a country code is read as Vietnamese."""
    digits = re.sub(r"^00", "+", text.strip())
    try:
        number = phonenumbers.parse(digits, None if digits.startswith("+") else "VN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _plain(text: str) -> str:
    """Return an answer without "my name is" before it and "입니다" after it."""
    value = " ".join(text.split()).strip(" .,;:!。，、")
    for lead in sorted(_words()["leads"], key=len, reverse=True):
        space = "" if _UNSPACED.search(lead) else r"\b\s*[:,]?\s*"
        shorter = re.sub(rf"^{re.escape(lead)}{space}\s*", "", value, flags=re.IGNORECASE)
        if shorter != value and _letters(shorter) >= 2:
            value = shorter
            break
    for tail in sorted(_words()["tails"], key=len, reverse=True):
        if value.endswith(tail) and _letters(value.removesuffix(tail)) >= 2:
            value = value.removesuffix(tail)
            break
    return value.strip(" .,;:!。，、")


def _letters(text: str) -> int:
    # One ideogram is a syllable: 王 is a name's half, not its initial.
    return sum(character.isalpha() for character in text)


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _bare(text: str) -> str:
    return re.sub(r"[\s.!,。！、?？/]+", " ", fold(text)).strip()


@cache
def _bares(name: str) -> frozenset[str]:
    return frozenset(_bare(str(word)) for word in _words()[name])


def _says(folded: str, word: str) -> bool:
    """Whether a word stands in a text: Latin words whole, Russian stems and unspaced scripts anywhere."""
    needle = fold(word)
    if _UNSPACED.search(needle):
        return needle in folded
    end = "" if re.search("[а-я]", needle) else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(needle)}{end}", folded) is not None


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    return yaml.safe_load((Path(__file__).parent / "press_words.yml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _labels() -> dict[tuple[str, str, str], str]:
    """Return the titles of the form's buttons: what a value is called stands in domain/ only."""
    responses = yaml.safe_load((ROOT / "domain" / "press.yml").read_text(encoding="utf-8"))["responses"]
    labels: dict[tuple[str, str, str], str] = {}
    for name, variants in responses.items():
        for variant in variants:
            language = next(
                (c["value"] for c in variant.get("condition", []) if c["name"] == "language"), "en"
            )
            for button in variant.get("buttons", []):
                value = re.search(r':\s*"([^"]+)"', button["payload"])
                if value:
                    labels[name, value.group(1), language] = button["title"]
    return labels


def button_label(response: str, value: str, language: str) -> str:
    """Return the title of the button of `response` that stands for `value`."""
    return _labels().get((response, value, language)) or _labels()[response, value, "en"]
