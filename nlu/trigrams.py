"""Which language the letters of a word look like, for words that no list knows.

Naive Bayes over groups of three letters, from a table counted in Wikipedia (nlu/data/trigrams.txt says by whom).
Only the standard library: it runs on both Pythons.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).resolve().parent / "data" / "trigrams.txt"
# The log-probability of a group that the table does not hold.
_UNSEEN = -13.0
# Groups overlap, so they are no independent witnesses: their sum is divided by this.
_OVERLAP = 3.5


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, ...], dict[str, tuple[float, ...]]]:
    """Return the languages, and {trigram: log-probability in each}."""
    sparse: dict[str, dict[str, float]] = defaultdict(dict)
    languages: dict[str, None] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        head, _, grams = line.partition(": ")
        language, level = head.split()
        languages[language] = None
        for gram in grams.split():
            sparse[gram][language] = float(level)
    names = tuple(languages)
    return names, {gram: tuple(levels.get(name, _UNSEEN) for name in names) for gram, levels in sparse.items()}


@lru_cache(maxsize=4096)
def _word_sums(word: str) -> tuple[float, ...]:
    """Return the log-probability of a word's letters in each language."""
    names, table = _table()
    padded = f"_{word}_"
    unseen = (_UNSEEN,) * len(names)
    levels = (table.get(padded[start : start + 3], unseen) for start in range(len(word)))
    return tuple(map(sum, zip(*levels, strict=True)))


def look(words: Iterable[str], priors: Mapping[str, float]) -> dict[str, float]:
    """Return {language: probability} of lower-case words of one alphabet; the probabilities add up to 1.

    `priors` names the languages to choose from and how likely each is before anything is read (any positive scale).
    """
    names, _ = _table()
    places = [(name, names.index(name)) for name in priors]
    sums = {name: math.log(priors[name]) * _OVERLAP for name in priors}
    for word in words:
        found = _word_sums(word)
        for name, place in places:
            sums[name] += found[place]
    highest = max(sums.values())
    odds = {name: math.exp((total - highest) / _OVERLAP) for name, total in sums.items()}
    whole = sum(odds.values())
    return {name: odd / whole for name, odd in odds.items()}
