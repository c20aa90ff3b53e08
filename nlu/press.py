"""Cues that somebody asks the city something as the press: an interview, a comment, filming, accreditation.

What a journalist asks like anybody else ("I'm a journalist, when does the pagoda open?") is no request: it
is answered
like anybody's question (design: a profession is never a reason to refuse ordinary information).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nlu.cues import Cues, Patterns, read_cues
from nlu.text import fold


@dataclass(frozen=True)
class PressCue:
    """The words that make a message a press request, and whether they say so by themselves or together."""

    cue: str
    kind: str


@lru_cache(maxsize=1)
def _cues() -> Cues:
    return read_cues("press")


@lru_cache(maxsize=1)
def _patterns() -> dict[str, Patterns]:
    return dict(_cues().kinds)


def detect(text: str) -> PressCue | None:
    """Return the cue of a press request in `text`, or None."""
    cues, patterns = _cues(), _patterns()
    for form in _forms(text):
        whole = cues.whole.fullmatch(form)
        if whole:
            return PressCue(whole.group(0).strip(), "whole")
        left = cues.lookalike.cut(form)
        asked = patterns["ask"].search(left)
        if asked:
            return PressCue(asked.group(0).strip(), "ask")
        journalist = patterns["journalist"].search(left)
        if not journalist or patterns["ordinary"].search(left):
            continue
        wish = patterns["wish"].search(left)
        if wish and not _overlap(journalist.span(), wish.span()):
            return PressCue(f"{journalist.group(0).strip()} … {wish.group(0).strip()}", "journalist")
    return None


def asks_position(text: str) -> bool:
    """Whether words of `text` ask what the city thinks of something: only an approved statement may answer that."""
    return _found("position", text)


def names_journalist(text: str) -> bool:
    """Whether words of `text` say that its writer works for the press; answered like anybody, and offered a person."""
    return _found("journalist", text)


def is_ordinary(text: str) -> bool:
    """Whether `text` says that its writer asks for himself: on holiday, with his family, retired."""
    return _found("ordinary", text)


def signs(text: str) -> tuple[bool, ...]:
    """Return what a classifier may weigh: a cue; a journalist, a wish, a look-alike, an ordinary reason named."""
    lookalike = any(_cues().lookalike.search(form) for form in _forms(text))
    return (
        detect(text) is not None,
        _found("journalist", text),
        _found("wish", text),
        lookalike,
        is_ordinary(text),
    )


def _found(kind: str, text: str) -> bool:
    return any(_patterns()[kind].search(form) for form in _forms(text))


def _forms(text: str) -> tuple[str, ...]:
    """Return `text` in lower case as typed, and without accents where that differs."""
    lowered = unicodedata.normalize("NFC", text).lower().replace("’", "'").strip()
    return tuple(dict.fromkeys((lowered, fold(lowered))))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
