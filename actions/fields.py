"""Checks that several forms share: names, countries, contacts, free text; and the words by which they are answered."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import phonenumbers
import yaml
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from actions.form_model import Check, Checked, FieldError, Reading
from nlu.text import fold

ROOT = Path(__file__).resolve().parent.parent
# From this length on an answer has to hold letters: "14:30" is a time, "1234567890" is no subject.
MANY = 10
_UNSPACED = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_EMAIL = re.compile(r"[^\s<>,;:()\[\]，。；：（）、]+@[^\s<>,;:()\[\]，。；：（）、]+\.[A-Za-z0-9.-]+")
_PHONE = re.compile(r"(?:\+|00)?\d[\d\s().-]{6,20}\d")


def check_name(text: str, reading: Reading) -> Checked:
    """Accept two letters or more; a name is no number and no address."""
    value = plain(text)
    if letters(value) < 2 or len(value) > 100 or "@" in value or digits(value) > 2:
        raise FieldError("utter_form_bad_name")
    return Checked(value)


def check_country(text: str, reading: Reading) -> Checked:
    """Accept a name without digits."""
    value = plain(text)
    if not letters(value) >= 2 or len(value) > 60 or digits(value) or "@" in value:
        raise FieldError("utter_form_bad_country")
    return Checked(value)


def text_check(least: int, most: int, response: str) -> Check:
    """Return a check of free text by its length, where an ideogram or a Korean syllable counts as two characters."""

    def check(text: str, reading: Reading) -> Checked:
        value = " ".join(text.split())
        told = letters(value) if least >= MANY else letters(value) + digits(value)
        if weight(value) < least or told < min(least, 4) or len(value) > most:
            raise FieldError(response)
        return Checked(value)

    return check


def check_contact(text: str, reading: Reading) -> Checked:
    """Accept an e-mail address, an international telephone number (or both), or this chat."""
    if text == "chat" or bare(text) in bares("this_chat"):
        return Checked("chat", button_label(f"utter_ask_{reading.form}_contact", "chat", reading.language))
    value = contacts_in(text)
    if not value:
        raise FieldError("utter_form_bad_contact")
    return Checked(value)


def contacts_in(text: str) -> str:
    """Return the e-mail addresses and telephone numbers of a text, joined by commas; "" when it holds none."""
    normal = unicodedata.normalize("NFKC", text)
    found: list[str] = []
    for match in _EMAIL.finditer(normal):
        address = match.group(0).strip(".")
        try:
            validate_email(address)
        except ValidationError:
            continue
        found.append(address)
    for match in _PHONE.finditer(_EMAIL.sub(" ", normal)):
        number = _phone(match.group(0))
        if number:
            found.append(number)
    return ", ".join(dict.fromkeys(found))


def prefill_contact(words: str, reading: Reading) -> str | None:
    """Return the contact that a first message names; a number without a country's code may be anything."""
    normal = unicodedata.normalize("NFKC", words)
    kept = [part for part in contacts_in(words).split(", ") if "@" in part or re.search(r"(?:\+|\b00)\s*\d", normal)]
    return ", ".join(kept) or None


def _phone(text: str) -> str | None:
    """Return a number in international form; one without a country code is read as Vietnamese."""
    number_text = re.sub(r"^00", "+", text.strip())
    try:
        number = phonenumbers.parse(number_text, None if number_text.startswith("+") else "VN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def plain(text: str) -> str:
    """Return an answer without "my name is" before it and "입니다" after it."""
    value = " ".join(text.split()).strip(" .,;:!。，、")
    for lead in sorted(words()["leads"], key=len, reverse=True):
        space = "" if _UNSPACED.search(lead) else r"\b\s*[:,]?\s*"
        shorter = re.sub(rf"^{re.escape(lead)}{space}\s*", "", value, flags=re.IGNORECASE)
        if shorter != value and letters(shorter) >= 2:
            value = shorter
            break
    for tail in sorted(words()["tails"], key=len, reverse=True):
        if value.endswith(tail) and letters(value.removesuffix(tail)) >= 2:
            value = value.removesuffix(tail)
            break
    return value.strip(" .,;:!。，、")


def letters(text: str) -> int:
    """Count letters; one ideogram is a syllable: 王 is a name's half, not its initial."""
    return sum(character.isalpha() for character in text)


def digits(text: str) -> int:
    """Count digits."""
    return sum(character.isdigit() for character in text)


def weight(text: str) -> int:
    """Return the length of a text, where an ideogram or a Korean syllable counts as two characters."""
    return len(text) + len(_UNSPACED.findall(text))


def bare(text: str) -> str:
    """Return a text folded, without punctuation."""
    return re.sub(r"[\s.!,。！、?？/]+", " ", fold(text)).strip()


@cache
def bares(name: str) -> frozenset[str]:
    """Return one list of `actions/form_words.yml`, bare."""
    return frozenset(bare(str(word)) for word in words()[name])


def says(folded: str, word: str) -> bool:
    """Whether a word stands in a folded text: Latin words whole, Russian stems and unspaced scripts anywhere."""
    needle = fold(word)
    if _UNSPACED.search(needle):
        return needle in folded
    end = "" if re.search("[а-я]", needle) else r"(?!\w)"
    return re.search(rf"(?<!\w){re.escape(needle)}{end}", folded) is not None


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Return the lists of `actions/form_words.yml`."""
    return yaml.safe_load((Path(__file__).parent / "form_words.yml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _labels() -> dict[tuple[str, str, str], str]:
    """Return the titles of the forms' buttons: what a value is called stands in domain/ only."""
    labels: dict[tuple[str, str, str], str] = {}
    for file in sorted((ROOT / "domain").glob("*.yml")):
        responses = yaml.safe_load(file.read_text(encoding="utf-8")).get("responses") or {}
        for name, variants in responses.items():
            for variant in variants:
                conditions = variant.get("condition", [])
                language = next((c["value"] for c in conditions if c["name"] == "language"), "en")
                for button in variant.get("buttons", []):
                    value = re.search(r':\s*"([^"]+)"', button["payload"])
                    if value:
                        labels[name, value.group(1), language] = button["title"]
    return labels


def button_label(response: str, value: str, language: str) -> str:
    """Return the title of the button of `response` that stands for `value`."""
    return _labels().get((response, value, language)) or _labels()[response, value, "en"]
