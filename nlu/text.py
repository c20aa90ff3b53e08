"""Cleaning and folding of what people type.

Cleaning makes a text safe to store, compare and hand to the dialogue engine; folding makes two spellings of the
same word equal (accents, đ, full-width forms), and is used only to compare, never to show.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# A question is one or two sentences; what is longer is cut, and the reader is told (lessons P1).
MAX_LENGTH = 1000

_SPACES = re.compile(r"\s+")
_LEADING_SLASHES = re.compile(r"^[/\s]+")


@dataclass(frozen=True)
class Cleaned:
    """A cleaned text, and whether it had to be cut to `MAX_LENGTH` characters."""

    text: str
    truncated: bool = False

    @property
    def empty(self) -> bool:
        """Whether no letter or digit is left (only emoji, punctuation or nothing)."""
        return not any(character.isalnum() for character in self.text)


def clean(raw: str, max_length: int = MAX_LENGTH) -> Cleaned:
    """Return `raw` in NFC without control, invisible or unassigned characters, spaces collapsed, bounded.

    A leading slash is removed: Rasa takes a text such as `/restart` or `/handoff@1.0{"kind": "press"}` as an
    order, whoever typed it (lessons R1, R2).
    """
    # Normalising can lengthen a text, so it is cut before (against huge inputs) and after.
    text = unicodedata.normalize("NFC", raw[: max_length * 4])
    text = "".join(
        " " if character.isspace() or category == "Cc" else character
        for character in text
        if (category := unicodedata.category(character)) not in ("Cf", "Cs", "Cn", "Co")
    )
    text = _SPACES.sub(" ", text).strip()
    text = _LEADING_SLASHES.sub("", text)
    truncated = len(text) > max_length or len(raw) > max_length * 4
    return Cleaned(text[:max_length].rstrip(), truncated)


def fold(text: str) -> str:
    """Return `text` in lower case without Latin accents, đ as d, full-width forms narrowed.

    Marks are removed from Latin letters alone: が and Й keep theirs, Hangul stays composed. Old and new
    Vietnamese tone placement (hòa, hoà) fold to the same string.
    """
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    kept: list[str] = []
    latin = False
    for character in decomposed:
        if unicodedata.combining(character):
            if latin:
                continue
        else:
            latin = character < "\u0250"
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))
