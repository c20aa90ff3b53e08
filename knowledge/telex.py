"""Reads Vietnamese that an input method left undone: "chuaf" and "ddieenj" (Telex), "mo73" and "d9uong2" (VNI).

Such keys are typed when the method was off. A word is read only where the result is a syllable that exists; many
English words and house numbers look the same (bus, quan1), so the caller asks for more than one in a message unless
the word is `certain`: it has two keys or more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass

from nlu.text import place_tones

_TELEX_TONES = {"f": "\u0300", "s": "\u0301", "x": "\u0303", "r": "\u0309", "j": "\u0323"}
_VNI_TONES = {"2": "\u0300", "1": "\u0301", "4": "\u0303", "3": "\u0309", "5": "\u0323"}
_TELEX_LETTERS = {"aa": "â", "ee": "ê", "oo": "ô", "aw": "ă", "ow": "ơ", "uw": "ư", "dd": "đ"}
_VNI_LETTERS = {"a6": "â", "e6": "ê", "o6": "ô", "a8": "ă", "o7": "ơ", "u7": "ư", "d9": "đ"}
_TELEX = re.compile(r"[a-z]{2,8}[fsxrj][a-z]{0,2}|[a-z]*(?:aa|ee|oo|[aou]w|dd)[a-z]*")
_VNI = re.compile(r"d?9?[a-z]+[1-9]{1,3}[a-z1-9]{0,4}")
_KEYED = re.compile("aa|ee|oo|[aou]w|dd")
_VOWEL = re.compile("[aăâeêioôơuưy]+")
# Where a final consonant follows, or none, the tone stands on the last of these, else on the first vowel of the rest.
_STRONG = "ăâêôơư"


@dataclass(frozen=True)
class Typed:
    """A syllable read from its keys; `certain` where nothing but Vietnamese is typed so."""

    syllable: str
    certain: bool


def read_keys(word: str, known: Container[str]) -> Typed | None:
    """Return the syllable that `word` (lower case) spells in Telex or VNI, if it is one of `known`; else None."""
    if not word.isascii() or not 3 <= len(word) <= 10:
        return None
    for pattern, tones, letters in ((_TELEX, _TELEX_TONES, _TELEX_LETTERS), (_VNI, _VNI_TONES, _VNI_LETTERS)):
        if pattern.fullmatch(word) and (read := _read(word, tones, letters, known)):
            return read
    return None


def _read(word: str, tones: dict[str, str], letters: dict[str, str], known: Container[str]) -> Typed | None:
    tone, rest, keys = "", word, 0
    # The tone's key may follow the vowel (chufa) or the syllable (chuaf); r, s and x also begin syllables (rongf).
    places = [i for i in range(len(word) - 1, 0, -1) if word[i] in tones and _VOWEL.search(word[:i])]
    if places:
        tone, rest, keys = tones[word[places[0]]], word[: places[0]] + word[places[0] + 1 :], 1
    if letters is _VNI_LETTERS:
        rest, hooks = _vni_letters(rest)
        keys += hooks
    else:
        rest = rest.replace("uow", "ươ") if "uow" in rest else rest
        keys += rest.count("ươ") + len(_KEYED.findall(rest))
        for pair, letter in letters.items():
            rest = rest.replace(pair, letter)
    if not keys or not rest.isalpha():
        return None
    syllable = _with_tone(rest, tone)
    return Typed(syllable, keys > 1) if syllable in known and not syllable.isascii() else None


def _vni_letters(rest: str) -> tuple[str, int]:
    """Put 6, 7, 8 and 9 on the nearest letter before them that takes them; uo7 is ươ."""
    keys = 0
    for digit, bare, marked in (("9", "d", "đ"), ("8", "a", "ă"), ("7", "uo", "ươ"), ("7", "o", "ơ"), ("7", "u", "ư"),
                                ("6", "a", "â"), ("6", "e", "ê"), ("6", "o", "ô")):
        if (at := rest.find(digit)) > 0 and (found := rest.rfind(bare, 0, at)) >= 0:
            rest = rest[:found] + marked + rest[found + len(bare) : at] + rest[at + 1 :]
            keys += 1
    return rest, keys


def _with_tone(syllable: str, tone: str) -> str:
    """Return the syllable with the tone on the vowel that carries it by the rules of spelling."""
    onset = 2 if syllable.startswith("qu") or (syllable.startswith("gi") and len(syllable) > 2) else 0
    vowels = _VOWEL.search(syllable, onset) or _VOWEL.search(syllable)
    if not tone or not vowels:
        return syllable
    group = vowels.group()
    strong = [i for i, letter in enumerate(group) if letter in _STRONG]
    if strong:
        at = strong[-1]
    elif len(group) == 1 or (len(group) == 2 and vowels.end() == len(syllable)):
        at = 0
    else:
        at = 1
    at += vowels.start()
    return place_tones(unicodedata.normalize("NFC", syllable[: at + 1] + tone + syllable[at + 1 :]))
