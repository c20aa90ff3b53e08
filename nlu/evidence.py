"""What the parts of language identification share: the result, and how a text is cut into words."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A language that is none of ours; its writer is answered in the default language.
OTHER = "other"
WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True)
class Identified:
    """The language of a message (one of ours or `OTHER`), how sure (0 to 1), and whether enough to switch to it."""

    language: str
    confidence: float
    reliable: bool
