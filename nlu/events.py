"""Cues that somebody asks what is on: events in the days to come, whatever they are, not one festival by its name."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from nlu.cues import Cues, Patterns, read_cues
from nlu.text import fold

Span = tuple[dt.date, dt.date]
# Days ahead that a word means; of several words the nearest time counts.
DAYS = {"today": 0, "week": 7, "soon": 60}
WEEKEND = 5  # Saturday, as `date.weekday` counts
# Characters; a longer message tells a story, and words of time and of feasts meet in it by chance.
LONGEST = 160


@lru_cache(maxsize=1)
def _cues() -> Cues:
    return read_cues("events")


def asked_span(text: str, today: dt.date) -> Span | None:
    """Return the first and last day that a message asks about, or None when it does not ask what is on."""
    if len(text) > LONGEST:
        return None
    cues, patterns = _cues(), dict(_cues().kinds)
    for form in dict.fromkeys((text.lower(), fold(text))):
        left = cues.lookalike.cut(form)
        time = _time(left, patterns)
        if patterns["on"].search(left) or (time and patterns["event"].search(left)):
            return _days(time or "week", today)
    return None


def _time(text: str, patterns: dict[str, Patterns]) -> str | None:
    return next((name for name in ("today", "weekend", "week", "soon") if patterns[name].search(text)), None)


def _days(time: str, today: dt.date) -> Span:
    if time == "weekend":
        saturday = today + dt.timedelta(days=max(WEEKEND - today.weekday(), 0))
        sunday = today + dt.timedelta(days=6 - today.weekday())
        return min(saturday, sunday), sunday
    return today, today + dt.timedelta(days=DAYS[time])
