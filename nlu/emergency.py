"""Cues that somebody needs the police, the fire brigade, an ambulance or a rescue: at once, in any language.

Deterministic on purpose: an emergency must not depend on a classifier's mood. The patterns stand in
`nlu/data/emergency.txt`; look-alikes ("emergency exit", "fire festival") are cut out before they are tried.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from nlu.cues import Cues, read_cues
from nlu.text import fold


@dataclass(frozen=True)
class Emergency:
    """What kind of help the words ask for (`fire medical rescue police help`), and the words that say so."""

    kind: str
    cue: str


@lru_cache(maxsize=1)
def _cues() -> Cues:
    return read_cues("emergency")


def detect(text: str) -> Emergency | None:
    """Return the emergency that `text` speaks of, or None."""
    lowered = unicodedata.normalize("NFC", text).lower().replace("’", "'").strip()
    cues = _cues()
    for form in dict.fromkeys((lowered, fold(lowered))):
        whole = cues.whole.fullmatch(form)
        if whole:
            return Emergency("help", whole.group(0).strip())
    # Cut the look-alikes out of both forms: each form is read by itself.
    for form in dict.fromkeys((lowered, fold(lowered))):
        left = cues.lookalike.cut(form)
        for kind, pattern in cues.kinds:
            match = pattern.search(left)
            if match:
                return Emergency(kind, re.sub(r"\s+", " ", match.group(0)).strip())
    return None
