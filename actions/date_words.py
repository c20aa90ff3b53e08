"""The words of dates and times in seven languages, as patterns."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from nlu.text import fold

_UNSPACED = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Return the lists of `actions/dates.yml`."""
    return yaml.safe_load((Path(__file__).parent / "dates.yml").read_text(encoding="utf-8"))


@cache
def pattern(*path: Any) -> re.Pattern[str]:
    """Return one pattern of the words at `path`, the longest first."""
    listed: Any = words()
    for key in path:
        listed = listed[key]
    phrases = sorted({*map(str, listed), *(fold(str(word)) for word in listed)}, key=len, reverse=True)
    return re.compile(
        "|".join(
            re.escape(phrase) if _UNSPACED.search(phrase) else rf"(?<!\w){re.escape(phrase)}(?!\w)"
            for phrase in phrases
        )
    )


def take(rest: str, *path: Any) -> tuple[str, bool]:
    """Return `rest` without the first of the words at `path`, and whether one stood there."""
    found = pattern(*path).search(rest)
    return (rest[: found.start()] + " " + rest[found.end() :], True) if found else (rest, False)
