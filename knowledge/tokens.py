"""Lexical analysis: what counts as a term when texts are compared by their words.

Latin and Cyrillic words are folded (accents, đ, ё, case), so that Vietnamese is found with and without diacritics.
Chinese, Japanese and Thai have no spaces: runs of their characters become overlapping pairs. Korean words carry
particles: each word becomes its pairs of syllables. Words that mean the same in several languages share a concept
(concepts.yml), so that a question can be compared with texts of other languages.
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
# Scripts that put spaces between words: there a concept starts and ends with a word.
_SPACED = re.compile(r"[^\W\d_\u0e00-\u0e7f\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]|\d")
FOLDER = Path(__file__).resolve().parent
ALIASES = FOLDER / "place_names.yml"
CONCEPTS = FOLDER / "concepts.yml"
# libyaml's safe loader, where there is one: 0.3 s less at every start.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What the names of concepts that are proper names begin with.
NAME = "@"
# Tokens of a text are asked for by every index build: only texts that are new cost anything.
CACHED_TEXTS = 50_000


def tokenize(text: str) -> list[str]:
    """Return the terms of a text in order; a place's other names count as the place's own."""
    return list(_tokenize(text))


@lru_cache(CACHED_TEXTS)
def _tokenize(text: str) -> tuple[str, ...]:
    terms: list[str] = []
    for match in _RUN.finditer(_normal(text)):
        run = match.group()
        if match.lastgroup == "word" or len(run) == 1:
            terms.append(run)
        else:
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
    return tuple(terms)


@lru_cache(CACHED_TEXTS)
def concepts(text: str) -> frozenset[str]:
    """Return the names of the concepts (concepts.yml) whose words a text uses, in whatever language."""
    folded = _normal(text)
    table = _concepts()
    found: set[str] = set()
    for start, character in enumerate(folded):
        candidates = table.get(folded[start : start + 2]), table.get(character)
        if candidates == (None, None) or (start and folded[start - 1].isalnum() and _SPACED.match(folded, start)):
            continue
        found.update(name for each in candidates if each for pattern, name in each if pattern.match(folded, start))
    return frozenset(found)


@lru_cache(1024)
def _normal(text: str) -> str:
    return _unify_names(_fold(text))


def _fold(text: str) -> str:
    return fold(text).replace("ё", "е")


@lru_cache(maxsize=1)
def _concepts() -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """Return the patterns of every concept's words by their first two characters (one, of a single character)."""
    starts: dict[str, dict[str, list[str]]] = {}
    for file in (CONCEPTS, FOLDER / "names.yml", FOLDER / "attributes.yml"):
        for name, words in yaml.load(file.read_text(encoding="utf-8"), _LOADER).items():  # noqa: S506 (a safe one)
            # Normal as the texts are: a place's other names stand in them as its own.
            for word in dict.fromkeys(_normal(word).strip() for word in words):
                word, *never = (part.strip() for part in word.split("!"))
                parts = [re.escape(part).replace(r"\*", r"\w*") for part in word.split()]
                spaced = bool(_SPACED.match(word.rstrip("*")[-1]))
                pattern = (r"\s+" if spaced else r"\s*").join(parts) + (r"(?!\w)" if spaced else "")
                pattern += "".join(rf"(?!\s*{re.escape(part)})" for part in never)
                # "몇 시" is written 몇시 too: where spaces are free, what follows one cannot be part of the start.
                start = (word if spaced else word.split()[0])[:2].replace("*", "")
                starts.setdefault(start, {}).setdefault(name, []).append(pattern)
    # One pattern for all words of a concept that begin alike: a fifth fewer to compile at the start, and to try later.
    return {
        start: [(re.compile("|".join(patterns)), name) for name, patterns in named.items()]
        for start, named in starts.items()
    }


@lru_cache(maxsize=1)
def _names() -> tuple[re.Pattern[str], dict[str, str]]:
    table = {
        _fold(spelling): _fold(name)
        for name, spellings in yaml.safe_load(ALIASES.read_text(encoding="utf-8")).items()
        for spelling in spellings
    }
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile("|".join(rf"(?<![a-z]){re.escape(each)}(?![a-z])" for each in longest_first)), table


def _unify_names(folded: str) -> str:
    pattern, table = _names()
    return pattern.sub(lambda match: f" {table[match.group()]} ", folded)
