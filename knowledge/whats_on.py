"""What is said to "what's on this week?": the events of the days asked about, else the next ones."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from desk import pauses
from knowledge.answers import load_questions
from knowledge.events import Occurrence, upcoming
from nlu.events import Span

AHEAD = dt.timedelta(days=120)
SHOWN = 5


@dataclass(frozen=True)
class WhatsOn:
    """The response of the domain that is said, what fills it in, and the entries that tell more."""

    response: str
    values: dict[str, str]
    entries: list[str] = field(default_factory=list)


def whats_on(span: Span, language: str) -> WhatsOn:
    """Return what to say to somebody who asks what is on in the days of a span (nlu.events); needs the database.

    Entries of topics that are paused are left out.
    """
    first, last = span
    without = pauses.active()
    days = Occurrence(first, last).text(language)
    if there := _lines(upcoming(first, last, without), language):
        return WhatsOn("utter_whats_on", {"days": days, "list": "\n".join(there.values())}, [*there])
    if there := _lines(upcoming(first, first + AHEAD, without), language):
        return WhatsOn("utter_whats_on_next", {"days": days, "list": "\n".join(there.values())}, [*there])
    return WhatsOn("utter_whats_on_none", {"days": days})


def _lines(events: list[Occurrence], language: str) -> dict[str, str]:
    """Return a line for each of the first events, by entry."""
    questions = dict(load_questions([each.slug for each in events], language))
    told = [each for each in events if each.slug in questions][:SHOWN]
    return {each.slug: f"📅 {each.text(language)} · {questions[each.slug]}" for each in told}
