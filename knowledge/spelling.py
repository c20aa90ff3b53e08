"""Finds what a mistyped word of a question may have meant, among the words that the index knows.

A word of four letters or more that no text holds ("templr", "restuarant") is compared with those that some text holds:
one letter wrong, missing, too much or swapped with its neighbour is allowed, in words of eight letters or more two.
Digits are never guessed at, nor the pairs of characters that stand for Chinese, Japanese, Thai and Korean words:
a neighbour of such a pair is another word, not a slip.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

# The shortest word that is looked at, and the shortest that may have two mistakes.
SHORTEST, LONG = 4, 8
# Nobody types a longer word; what is longer is not looked at.
LONGEST = 40
# What a word found by guessing counts beside one that was typed right, by its mistakes.
WEIGHTS = {1: 0.6, 2: 0.4}
# The share of that weight which the rarest word keeps; the most frequent keeps all.
RAREST = 0.8
MOST = 5
CACHED = 4096
# Latin (also accented) and Cyrillic letters come before this one, the scripts without spaces after it.
_ALPHABETS = "\u0530"


class Speller:
    """Looks for near words in a vocabulary of folded terms and their counts; never changed, shared between threads."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = {term: count for term, count in vocabulary.items() if _is_word(term)}
        by_length: defaultdict[int, list[str]] = defaultdict(list)
        for term in sorted(self._vocabulary):
            by_length[len(term)].append(term)
        self._by_length = dict(by_length)
        self._most = math.log1p(max(self._vocabulary.values(), default=1)) or 1.0
        self._cached = lru_cache(CACHED)(self._find)

    def near(self, term: str) -> list[tuple[str, float]]:
        """Return up to five known terms that `term` (folded) may stand for, with weights below 1, best first.

        A term that is known, too short, or not a word of letters has none.
        """
        return list(self._cached(term)) if _is_word(term) and term not in self._vocabulary else []

    def _find(self, term: str) -> tuple[tuple[str, float], ...]:
        mistakes = 2 if len(term) >= LONG else 1
        found: list[tuple[str, float]] = []
        for length in range(max(len(term) - mistakes, SHORTEST), len(term) + mistakes + 1):
            choices = self._by_length.get(length, ())
            near = process.extract(
                term, choices, scorer=OSA.distance, processor=None, score_cutoff=mistakes, limit=None
            )
            found.extend((known, self._weight(known, int(distance))) for known, distance, _ in near)
        return tuple(sorted(found, key=lambda each: (-each[1], each[0]))[:MOST])

    def _weight(self, known: str, distance: int) -> float:
        frequent = math.log1p(self._vocabulary[known]) / self._most
        return WEIGHTS[distance] * (RAREST + (1 - RAREST) * frequent)


def _is_word(term: str) -> bool:
    return SHORTEST <= len(term) <= LONGEST and term.isalpha() and max(term) < _ALPHABETS
