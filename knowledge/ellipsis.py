"""How a message is built: whether its words lean on what was said before, and what they name by themselves.

"And how much is it?" names nothing of its own; "còn bệnh viện thì ở đâu?" begins like it and names a hospital. The
words are data (followup.yml), seven languages of them; this module only reads them, and imports nothing heavy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from nlu.languages import DEFAULT
from nlu.text import fold

WORDS = Path(__file__).resolve().parent / "followup.yml"
CUES = ("opener", "there", "it", "filler", "bounds")
# Scripts without spaces between words, or (Korean) with particles grown to them: a phrase may stand anywhere.
_UNSPACED = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Shape:
    """What a message is made of.

    `opener`, `there`, `it`, `bounds`: it holds such words (followup.yml says what they are). `aspects`: what it asks
    about. `rest`: the words that are none of these, folded: what it names by itself. `said`: the message without what
    only points back, to be put behind a subject's name. `limits`: the words of `bounds`, folded.
    """

    opener: bool
    there: bool
    it: bool
    bounds: bool
    aspects: frozenset[str]
    rest: str
    said: str
    limits: str

    @property
    def leans(self) -> bool:
        """Whether some word of it is of the kind that leans on what was said before."""
        return self.opener or self.there or self.it or self.bounds or bool(self.aspects)

    @property
    def bare(self) -> bool:
        """Whether it says nothing by itself: alone nobody could answer it."""
        return self.leans and not self.rest


def shape(text: str, language: str) -> Shape:
    """Return what a message in `language` is made of."""
    accented = _accented(text, language)
    plain = text.lower() if accented else _normal(text)
    opening, pattern, table = _patterns(language, accented)
    opened = opening.match(plain)
    end = opened.end() if opened else 0
    kinds: set[str] = set()
    rest: list[str] = []
    said: list[str] = []
    limits: list[str] = []
    for match in pattern.finditer(plain, end):
        between = plain[end : match.start()]
        end = match.end()
        rest += _WORD.findall(between)
        found = table[_key(match.group(), table)]
        kinds |= found
        said += [between] if found <= {"there", "it"} else [between, match.group()]
        if "bounds" in found:
            limits.append(match.group())
    rest += _WORD.findall(plain[end:])
    return Shape(
        opener=bool(opened and opened.group()), there="there" in kinds, it="it" in kinds, bounds="bounds" in kinds,
        aspects=frozenset(kinds) - set(CUES), rest=fold(" ".join(rest)),
        said=" ".join("".join([*said, plain[end:]]).split()).strip(" ?,.!？、，。"), limits=fold(" ".join(limits)),
    )


def aspects(text: str, language: str) -> frozenset[str]:
    """Return what a text of the knowledge base speaks of, by the same words."""
    return shape(text, language).aspects


def elliptical(text: str, language: str) -> bool:
    """Tell whether a message says nothing by itself, whatever was said before it."""
    return shape(text, language).bare


def _normal(text: str) -> str:
    return fold(text.replace("’", "'")).replace("ё", "е")


def _accented(text: str, language: str) -> bool:
    """Whether to tell accents apart: "về" is no "vé", but who types no accents means either."""
    return language == "vi" and fold(text) != text.lower()


def _key(found: str, table: dict[str, frozenset[str]]) -> str:
    """Return the entry of `table` that matched: the word, or the longest stem of it."""
    key = " ".join(found.split())
    if key in table:
        return key
    return next(key[:length] + "*" for length in range(len(key), 0, -1) if key[:length] + "*" in table)


@cache
def _patterns(
    language: str, accented: bool
) -> tuple[re.Pattern[str], re.Pattern[str], dict[str, frozenset[str]]]:
    """Return the patterns of a language's openers and of its other words, and of which kinds each of these is."""
    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    words = words.get(language, words[DEFAULT])
    table: dict[str, frozenset[str]] = {}
    openers = {phrase.lower() if accented else _normal(phrase) for phrase in words["opener"]}
    for kind, phrases in words.items():
        for phrase in phrases:
            key = phrase.lower() if accented else _normal(phrase)
            if kind != "opener":
                table[key] = table.get(key, frozenset()) | {kind}
            elif not _UNSPACED.search(key):
                # "And" inside a sentence joins nothing to us; without word boundaries it may be part of a word.
                table.setdefault(key, frozenset({"filler"}))
    # 那 opens a message, 那里 is a place: a longer word that begins like an opener is none.
    longer = [
        each for each in table if _UNSPACED.search(each) and each not in openers and each.startswith(tuple(openers))
    ]
    guard = rf"(?!{_any(longer)})" if longer else ""
    return re.compile(rf"(?:\W*{guard}(?:{_any(openers)}))*"), re.compile(_any(table)), table


def _any(phrases: Iterable[str]) -> str:
    """Return a pattern of any of the phrases, the longest first."""
    return "|".join(_alternative(each) for each in sorted(phrases, key=lambda each: (-len(each), each)))


def _alternative(phrase: str) -> str:
    parts = r"\s+".join(re.escape(part) for part in phrase.rstrip("*").split())
    if _UNSPACED.search(phrase):
        return parts
    end = r"\w*" if phrase.endswith("*") else "" if phrase.endswith("'") else r"(?!\w)"
    return rf"(?<!\w){parts}{end}"
