"""Lexical analysis: what counts as a term when texts are compared by their words.

Latin and Cyrillic words are folded (accents, đ, case), so that Vietnamese is found with and without diacritics.
Chinese, Japanese and Thai have no spaces: runs of their characters become overlapping pairs. Korean words carry
particles: each word becomes its pairs of syllables.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

from nlu.text import fold

_RUN = re.compile(
    r"(?P<pairs>[\u3400-\u9fff\uf900-\ufaff\u3041-\u30ff\u0e00-\u0e7f]+)|(?P<hangul>[\uac00-\ud7a3]+)|(?P<word>[^\W_]+)"
)
ALIASES = Path(__file__).resolve().parent / "place_names.yml"


def tokenize(text: str) -> list[str]:
    """Return the terms of a text in order; a place's other names count as the place's own."""
    terms: list[str] = []
    for match in _RUN.finditer(_unify_names(fold(text))):
        run = match.group()
        if match.lastgroup == "word":
            # A run of Latin letters stuck to CJK characters was split by the pattern's order; digits stay whole.
            terms.append(run)
        elif len(run) == 1:
            terms.append(run)
        else:
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
    return terms


@lru_cache(maxsize=1)
def _names() -> tuple[re.Pattern[str], dict[str, str]]:
    table = {
        fold(spelling): fold(name)
        for name, spellings in yaml.safe_load(ALIASES.read_text(encoding="utf-8")).items()
        for spelling in spellings
    }
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile("|".join(rf"(?<![a-z]){re.escape(each)}(?![a-z])" for each in longest_first)), table


def _unify_names(folded: str) -> str:
    pattern, table = _names()
    return pattern.sub(lambda match: f" {table[match.group()]} ", folded)
