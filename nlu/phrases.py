"""Short fixed phrases that steer a conversation: cancel, correct, yes, a field's name, a language's name.

A form must obey "cancel" and "correct the email" for certain, in every language; the lists stand in
`nlu/data/phrases.txt`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from nlu.text import fold

_FILE = Path(__file__).resolve().parent / "data" / "phrases.txt"
_PUNCTUATION = re.compile(r"[^\w\s'-]+|(?<!\w)['-]|['-](?!\w)")
_SPACES = re.compile(r"\s+")
# Korean and Japanese write particles without a space after a word, Chinese writes no spaces at all.
_UNSPACED = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class LanguageNamed:
    """A language that a message names, and whether the message says nothing else ("English please")."""

    code: str
    alone: bool


def normalise(text: str) -> str:
    """Return `text` folded, without punctuation, spaces collapsed: the form in which phrases are compared."""
    return _SPACES.sub(" ", _PUNCTUATION.sub(" ", fold(text.replace("’", "'")))).strip()


@lru_cache(maxsize=1)
def _lists() -> dict[str, tuple[str, ...]]:
    lists: dict[str, tuple[str, ...]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, phrases = line.partition(":")
            found = {normalise(phrase) for phrase in phrases.split("|")}
            # The longest first, so that "tiếng hàn quốc" is not read as "tiếng hàn" and a rest.
            lists[name.strip()] = tuple(sorted(found - {""}, key=lambda phrase: (-len(phrase), phrase)))
    return lists


@cache
def _pattern(name: str) -> re.Pattern[str]:
    alternatives = (
        re.escape(phrase) if _UNSPACED.search(phrase) else rf"(?<![\w-]){re.escape(phrase)}(?![\w-])"
        for phrase in _lists()[name]
    )
    return re.compile("|".join(alternatives))


@lru_cache(maxsize=1)
def _commands() -> dict[str, str]:
    commands: dict[str, str] = {}
    for name, phrases in _lists().items():
        if name.startswith("command."):
            for phrase in phrases:
                commands.setdefault(phrase, name.removeprefix("command."))
    return commands


def command(text: str) -> str | None:
    """Return the command that the whole message is: `cancel`, `correct`, `affirm`, `human` …"""
    return _commands().get(normalise(text))


def is_command(text: str, name: str) -> bool:
    """Whether the whole message is the command `name`; a phrase may be several ("не надо": cancel, deny)."""
    return normalise(text) in _lists()[f"command.{name}"]


def field_named(text: str, form: str) -> str | None:
    """Return the field of a form that a message names, the longest name first; None when it names none."""
    normalised = normalise(text)
    found = [
        (len(match.group(0)), field)
        for field in _lists().get(f"form.{form}", ())
        if (match := _pattern(f"field.{field}").search(normalised))
    ]
    return max(found, key=lambda item: item[0])[1] if found else None


def correction(text: str, form: str) -> str | None:
    """Return the field to correct for "sửa email", "" for a bare "correct", None when it is no correction.

    A form without a line of its fields (one message to a person) has nothing to correct.
    """
    if f"form.{form}" not in _lists():
        return None
    normalised = normalise(text)
    if normalised in _lists()["command.correct"]:
        return ""
    # "change" and "sai" are ordinary words: only a short message that also names a field is an order.
    if len(normalised) <= 40 and len(normalised.split()) <= 7 and _pattern("correct").search(normalised):
        return field_named(_pattern("correct").sub(" ", normalised), form)
    return None


def looks_like_question(text: str) -> bool:
    """Whether a message is built like a question: a question mark, or a question word of ours."""
    return text.rstrip().endswith(("?", "？")) or _pattern("question").search(normalise(text)) is not None


def language_named(text: str) -> LanguageNamed | None:
    """Return the language a short message names; `alone` when it says nothing but that."""
    normalised = normalise(text)
    if len(normalised) > 60:
        return None
    found = [
        (match.end(), name.removeprefix("language."))
        for name in _lists()
        if name.startswith("language.") and (match := _pattern(name).search(normalised))
    ]
    # Two languages named are a question about languages, or "not English, Korean": the classifier reads
    # those.
    codes = {code for _, code in found}
    if len(codes) != 1:
        return None
    code = codes.pop()
    rest = _pattern("filler").sub(" ", _pattern(f"language.{code}").sub(" ", normalised))
    return LanguageNamed(code, alone=not rest.strip())
