"""Cues that somebody asks the city something as the press: an interview, a comment, filming, accreditation.

What a journalist asks like anybody else ("I'm a journalist, when does the pagoda open?") is no request: it
is answered
like anybody's question (design: a profession is never a reason to refuse ordinary information).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nlu.cues import Cues, read_cues
from nlu.text import fold


@dataclass(frozen=True)
class PressCue:
    """The words that make a message a press request, and whether they say so by themselves or together."""

    cue: str
    kind: str


@lru_cache(maxsize=1)
def _cues() -> Cues:
    return read_cues("press")


def detect(text: str) -> PressCue | None:
    """Return the cue of a press request in `text`, or None."""
    lowered = unicodedata.normalize("NFC", text).lower().replace("’", "'").strip()
    cues = _cues()
    patterns = dict(cues.kinds)
    for form in dict.fromkeys((lowered, fold(lowered))):
        whole = cues.whole.fullmatch(form)
        if whole:
            return PressCue(whole.group(0).strip(), "whole")
        left = cues.lookalike.cut(form)
        asked = patterns["ask"].search(left)
        if asked:
            return PressCue(asked.group(0).strip(), "ask")
        journalist = patterns["journalist"].search(left)
        wish = patterns["wish"].search(left) if journalist else None
        if journalist and wish and not _overlap(journalist.span(), wish.span()):
            return PressCue(f"{journalist.group(0).strip()} … {wish.group(0).strip()}", "journalist")
    return None


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
