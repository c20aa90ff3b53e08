"""Vietnamese syllables: which there are, and how often each and each pair of them is used in general.

`data/vietnamese.tsv.gz` holds the counts (its first lines name origins and licences; `tools/count-vietnamese` makes
it); `data/vietnamese_phrases.txt` is what people ask a city, written for Citydesk, which no general text holds.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlu.text import fold, place_tones

COUNTS = Path(__file__).resolve().parent / "data/vietnamese.tsv.gz"
PHRASES = COUNTS.parent / "vietnamese_phrases.txt"
# The share of the phrases among single syllables, and what a pair of theirs weighs beside one of the counts.
PHRASES_SHARE, PHRASES_WEIGHT = 0.1, 4.0

_WORD = re.compile(r"[^\W_]+")
_SHAPE = re.compile(
    r"(?:ngh?|nh|gh?|gi|kh|ph|th|tr|ch|qu|[bcdhklmnprstvx])?"
    r"(?:uye|uya|uyu|oai|oay|oao|oeo|uay|uoi|uou|ieu|yeu|ia|ie|io|iu|ua|ue|ui|uo|uy|uu|oa|oe|oi|oo|eo|eu|au|ay|ao|ai|ye|"
    r"[aeiouy])(?:ng|nh|ch|[cmnpt])?|[dl]ak"
)


def syllables(text: str) -> list[str]:
    """Return the words of a text in lower case, in NFC, their tone marks in the common place."""
    return _WORD.findall(place_tones(text.lower()))


@lru_cache(20_000)
def is_syllable(word: str) -> bool:
    """Tell whether a word, with or without its marks, is built as Vietnamese syllables are (`hotel` is not)."""
    return _SHAPE.fullmatch(fold(word)) is not None


@dataclass(frozen=True)
class General:
    """General Vietnamese: each syllable's share of a text (0 to 1), the weight of each pair (first, second)."""

    shares: dict[str, float]
    pairs: dict[tuple[str, str], float]


@lru_cache(maxsize=1)
def general() -> General:
    """Return the general counts; they are read once per process (a tenth of a second)."""
    shares: dict[str, float] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    with gzip.open(COUNTS, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            words, _, value = line.partition("\t")
            first, _, second = words.partition(" ")
            if second:
                pairs[first, second] = float(value)
            else:
                shares[first] = float(value)
    asked: Counter[str] = Counter()
    for line in PHRASES.read_text(encoding="utf-8").splitlines():
        found = syllables(line)
        asked.update(found)
        for pair in zip(found, found[1:], strict=False):
            pairs[pair] += PHRASES_WEIGHT
    total, all_asked = sum(shares.values()), sum(asked.values())
    mixed = {word: (1 - PHRASES_SHARE) * share / total for word, share in shares.items()}
    for word, n in asked.items():
        mixed[word] = mixed.get(word, 0.0) + PHRASES_SHARE * n / all_asked
    return General(mixed, dict(pairs))
