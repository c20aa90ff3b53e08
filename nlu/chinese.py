"""What the characters of a text in ideograms say: Simplified or Traditional Chinese, or Japanese.

The old national character sets know which forms a country writes, and Python brings them as codecs: a character
that is in GB 2312 (China) and not in Big5 (Taiwan) is a simplified form, one that is only in Big5 is a traditional
form, and one that is in JIS X 0208 (Japan) and in neither of those was simplified in Japan alone (駅, 気, 営).
So no list of characters has to be kept, but for the few that Big5 holds for another reason. What both countries
write the same is told by words (data/japanese_words.txt).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

Script = Literal["Hans", "Hant"]

_FILE = Path(__file__).resolve().parent / "data" / "japanese_words.txt"
# The last ideogram of JIS X 0208 level 1, the characters in daily use.
_LAST_OF_LEVEL_1 = "腕".encode("shift_jis")
# Big5 also has these, as rare characters of their own; what is written with them today is simplified.
# (OpenCC's table of characters lists them as simplified; those that Taiwan uses too are left out: 台, 里, 后 …)
_SIMPLIFIED_IN_BIG5 = frozenset("与么价优体党几划厂听坏复宁怀怜惊据机极构柜气洁洒灶确离种筑网胜荐蚕触赶适岭")
# Mỹ Tho is 美萩 in Chinese of either script.
_NAMES = frozenset("萩")
# Little words that no Japanese sentence in ideograms holds, and Japanese has their characters.
_CHINESE_WORDS = re.compile("[在了有]|的|是|什|不[是要能]|可以|多少|一下|今天|明天|我要|幾點|怎|附近有")


@lru_cache(maxsize=8192)
def _written_in(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"


def chinese_script(text: str) -> Script | None:
    """Return the script of a Chinese `text`: "Hans", "Hant", or None where its characters are the same in both.

    The text is taken to be Chinese (Japanese 電話 would be "Hant"); of mixed forms the more frequent wins.
    """
    simplified, traditional = _forms(text)
    if simplified == traditional:
        return None
    return "Hans" if simplified > traditional else "Hant"


def japanese_balance(text: str) -> float:
    """Return how much the ideograms of `text` speak for Japanese (above 0) or for Chinese (below 0).

    0 where both write them; 1 is one word or two forms of either. Kana is not looked at.
    """
    balance = 0.0
    for character in filter(_is_han, text):
        if is_japanese_form(character):
            balance += 2
        elif not _common_in_japan(character):
            balance -= 2
    simplified, traditional = _forms(text)
    if simplified and traditional and balance >= 0:
        # 会社設立, 電話番号: Japan simplified some characters as China did, and left others.
        balance += 1.5
    balance -= len(_CHINESE_WORDS.findall(text))
    words = _japanese_words()
    return balance + sum(
        text[start : start + length] in words for length in (2, 3) for start in range(len(text) - length + 1)
    )


def is_japanese_form(character: str) -> bool:
    """Whether an ideogram is written in Japan and in neither Chinese script."""
    return (
        _is_han(character)
        and _written_in(character, "shift_jis")
        and not _written_in(character, "gb2312")
        and not _written_in(character, "big5")
    )


def _forms(text: str) -> tuple[int, int]:
    """Return how many characters of `text` are simplified alone, and how many traditional alone."""
    simplified = traditional = 0
    for character in filter(_is_han, text):
        in_china, in_taiwan = _written_in(character, "gb2312"), _written_in(character, "big5")
        simplified += character in _SIMPLIFIED_IN_BIG5 or (in_china and not in_taiwan)
        traditional += in_taiwan and not in_china and character not in _NAMES
    return simplified, traditional


@lru_cache(maxsize=8192)
def _common_in_japan(character: str) -> bool:
    """Whether an ideogram is of JIS level 1, or only in a name: level 2 holds the forms that Japan gave up (兩, 會)."""
    if character in _NAMES:
        return True
    return _written_in(character, "shift_jis") and character.encode("shift_jis") <= _LAST_OF_LEVEL_1


@lru_cache(maxsize=1)
def _japanese_words() -> frozenset[str]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
