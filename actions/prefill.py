"""Reads from the message that opened a form what it already says, so that it is not asked again.

Only what is sure: each function returns the words as somebody would have answered the question, or None. The summary
shows them before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from actions.deadline import DeadlineError, read_moment
from actions.fields import letters, weight
from actions.form_model import Reading
from desk.zones import country_names, country_of, zone_of_place
from nlu.text import fold

MIN_TOPIC = 30
# A date is tried behind the first few words that may announce one: reading dates is slow.
MAX_TRIES = 4
MIN_COMPLAINT = 25
_UPPER = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶŁĻŃŅŇŐŒŘŚŞŠŤŪŮŰŲŹŻŽƠƯẠ-ỹА-ЯЁ]"
# "J." ends an initial; any other full stop before a space ends the sentence.
_WORD = rf"{_UPPER}(?:\.(?=\s)|[\w'’-]*(?:\.\w[\w'’-]*)*)"
_NAME = rf"(?P<name>{_WORD}(?:\s+(?:de|van|von|der|da|del|bin|al|le|la|du)\b|\s+{_WORD}){{1,4}})"
_TITLE = rf"(?:{_UPPER}|\d)[\w&'’/-]*(?:\.\w[\w'’/-]*)*"
_CAPITALS = rf"{_TITLE}(?:\s+(?:(?:of|the|and|du|de|des|la|le|&)\s+)?{_TITLE}){{0,4}}"
_OUTLET = f"(?P<outlet>{_CAPITALS})"
_COUNTRY = r"(?P<country>[^\W\d_][\w.'’-]*(?:\s+[^\W\d_][\w.'’-]*){0,3})"
_ARTICLES = re.compile("^(?:一名|一位|一家|名|位)")
# These countries are also ordinary Vietnamese names or parts of them: "phóng viên Anh Tuấn", "từ Mỹ Tho".
_AMBIGUOUS = frozenset({"anh", "my", "duc", "uc", "nga", "han", "phap", "nhat"})


@lru_cache(maxsize=1)
def _said() -> dict[str, Any]:
    return yaml.safe_load((Path(__file__).parent / "prefill.yml").read_text(encoding="utf-8"))


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    found = []
    for written in _said()[kind]:
        for word, pattern in (("NAME", _NAME), ("OUTLET", _OUTLET), ("COUNTRY", _COUNTRY), ("CAPITALS", _CAPITALS)):
            written = written.replace(word, pattern)
        found.append(re.compile(written))
    return tuple(found)


@cache
def _one(kind: str) -> re.Pattern[str]:
    return re.compile(_said()[kind])


def name(words: str, reading: Reading) -> str | None:
    """Return the sender's name."""
    for pattern in _patterns("name"):
        for found in _each(pattern, words):
            value = found["name"].strip(" .,")
            tokens = fold(value).split()
            if not any(fold(str(word)) in tokens or fold(value).startswith(fold(str(word))) for word in _no("names")):
                return value
    return None


def outlet(words: str, reading: Reading) -> str | None:
    """Return the outlet; a country or a city after "from" is none."""
    for pattern in _patterns("outlet"):
        for found in _each(pattern, words):
            value = _ARTICLES.sub("", found["outlet"].strip(' .,«»"'))
            place = country_of(value) or zone_of_place(value)
            if letters(value) < 2 or place or fold(value) in {fold(str(word)) for word in _no("outlets")}:
                continue
            article = (found.groupdict().get("article") or "").lower()
            return f"Le {value}" if article in ("au", "du") else value
    return None


def country(words: str, reading: Reading) -> str | None:
    """Return the country that the sender or the outlet is from; Vietnam is what everybody writes about."""
    for pattern in _patterns("country"):
        for found in _each(pattern, words):
            groups = found.groupdict()
            if before := groups.get("country_before"):
                value = _country_before(before)
            else:
                value = _country_at(groups["country"], words[found.end("country") :])
            if value and country_of(value) != "VN":
                return value
    return None


def subject(words: str, reading: Reading) -> str | None:
    """Return the whole message when it tells its topic."""
    topic = _one("topic").search(words)
    return " ".join(words.split()) if topic and weight(words) >= MIN_TOPIC else None


def format(words: str, reading: Reading) -> str | None:
    """Return the code of the one format that the message names."""
    found = [code for code, pattern in _said()["formats"].items() if re.search(pattern, words)]
    return found[0] if len(found) == 1 else None


def deadline(words: str, reading: Reading) -> str | None:
    """Return the words after "by", "deadline is" … when they hold a date that is still to come."""
    for pattern in _patterns("deadline"):
        for found in islice(_each(pattern, words), MAX_TRIES):
            said = _one("deadline_ends").split(found["deadline"], maxsplit=1)[0].strip()[:60]
            try:
                read_moment(said, reading.language)
            except DeadlineError:
                continue
            return said
    return None


def complaint(words: str, reading: Reading) -> str | None:
    """Return the message itself when it says what happened."""
    return " ".join(words.split()) if weight(words) >= MIN_COMPLAINT else None


def place(words: str, reading: Reading) -> str | None:
    """Return the street, market, pier … that the message names."""
    for pattern in _patterns("place"):
        found = pattern.search(words)
        if found:
            value = _one("place_ends").split(found["place"], maxsplit=1)[0].strip()
            # A bare "market" or 市场 names none.
            if weight(value) > 6 and letters(value) > 3:
                return value
    return None


def _each(pattern: re.Pattern[str], words: str) -> Iterator[re.Match[str]]:
    """Return every place that a pattern fits, also within another: "we are a crew from Japan"."""
    found = pattern.search(words)
    while found:
        yield found
        found = pattern.search(words, found.start() + 1)


def _no(kind: str) -> list[str]:
    return _said()[f"not_{kind}"]


def _country_at(words: str, after: str) -> str | None:
    """Return the longest country with which some words begin: "United Kingdom and", "韩国电视台", "Франции"."""
    tokens = words.split()
    for count in range(len(tokens), 0, -1):
        value = " ".join(tokens[:count]).strip(" .,")
        following = tokens[count] if count < len(tokens) else after.strip()[:1]
        if fold(value) in _AMBIGUOUS and following[:1].isupper():
            continue
        if country_of(value) or _russian_case(value):
            return value
    if re.match("[一-龥]", words):
        return next((words[:end] for end in range(len(words), 1, -1) if country_of(words[:end])), None)
    return None


def _country_before(words: str) -> str | None:
    """Return the country with which unspaced words begin: "프랑스", "日本"."""
    return next((words[:end] for end in range(len(words), 1, -1) if country_of(words[:end])), None)


@lru_cache(maxsize=1)
def _russian_stems() -> frozenset[str]:
    return frozenset(known[:-1] for known in country_names() if re.fullmatch("[а-яё]{5,}", known))


def _russian_case(value: str) -> bool:
    """Whether a word is a country's Russian name in another case: "Франции", "Китая"."""
    folded = fold(value)
    return bool(re.fullmatch("[а-яё]{5,}", folded)) and folded[:-1] in _russian_stems()
