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
# Vietnamese tone marks, in Unicode's order; and the three vowel pairs that are written with the tone on either letter.
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_PAIRS = ("oa", "oe", "uy")
_ENDS = r"(?![^\W\d_]|[\u0300-\u036f])"


def _tone_places() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of the pairs written the other way, and what they become: hoà → hòa, but hòan → hoàn."""
    table: dict[str, str] = {}
    last, first = [], []
    for pair in (spelling for each in _PAIRS for spelling in (each, each.title(), each.upper())):
        for tone in _TONES:
            on_first = unicodedata.normalize("NFC", pair[0] + tone + pair[1])
            on_last = unicodedata.normalize("NFC", pair + tone)
            table |= {on_last: on_first, on_first: on_last}
            last.append(on_last)
            first.append(on_first)
    # After q the u belongs to the consonant (quý, quà); oai, oay, uya, uyu … carry the tone on their middle letter.
    at_end = rf"(?<![qQ])(?:{'|'.join(last)}){_ENDS}"
    inside = rf"(?<![qQ])(?:{'|'.join(first)})(?=[^\W\d_])"
    return re.compile(f"{at_end}|{inside}"), table


_MISPLACED, _PLACED = _tone_places()
# Syllables spelt with i or y at will; only with their tone are they sure to be these (mì is noodles, li a measure).
_I_OR_Y = dict(zip(
    ("kí", "kì", "kĩ", "kỉ", "kị", "lí", "mĩ", "quí", "quì", "quĩ", "quỉ", "quị", "sỹ", "tỉ"),
    ("ký", "kỳ", "kỹ", "kỷ", "kỵ", "lý", "mỹ", "quý", "quỳ", "quỹ", "quỷ", "quỵ", "sĩ", "tỷ"),
    strict=True,
))
_I_OR_Y_WORD = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(_I_OR_Y)}){_ENDS}")


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
    # What stood between a letter and its accent may be gone now, so they are joined again.
    text = unicodedata.normalize("NFC", _SPACES.sub(" ", text).strip())
    text = _LEADING_SLASHES.sub("", text)
    truncated = len(text) > max_length or len(raw) > max_length * 4
    return Cleaned(text[:max_length].rstrip(), truncated)


def place_tones(text: str) -> str:
    """Return `text` in NFC with each Vietnamese tone mark where most people write it: hoà as hòa, thuỷ as thủy."""
    return _MISPLACED.sub(lambda match: _PLACED[match.group()], unicodedata.normalize("NFC", text))


def fold(text: str) -> str:
    """Return `text` in lower case without Latin accents, đ as d, full-width forms narrowed.

    Marks are removed from Latin letters alone: が and Й keep theirs, Hangul stays composed. Old and new Vietnamese
    tone placement (hòa, hoà) fold to the same string, and so do spellings with i and y (Mĩ, Mỹ; quí, quý).
    """
    lowered = unicodedata.normalize("NFC", text.lower())
    if not lowered.isascii():
        # Letters dressed up (𝕬, Ａ) are capitals only once they are undressed.
        lowered = unicodedata.normalize("NFKC", lowered).lower()
        lowered = _I_OR_Y_WORD.sub(lambda match: _I_OR_Y[match.group()], lowered)
    decomposed = unicodedata.normalize("NFKD", lowered.replace("đ", "d"))
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
