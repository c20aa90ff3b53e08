"""When events take place: festivals that come again by the solar or the Vietnamese lunar date, and fairs held once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from babel.dates import format_date
from lunar_vn import LunarDate, lunar_to_solar, solar_to_lunar

from desk.zones import LOCALES
from knowledge.models import Entry, Repeats


class Dated(Protocol):
    """What is known of an event's days: those of one occurrence, and whether it comes again."""

    event_start: dt.date | None
    event_end: dt.date | None
    event_repeats: str


@dataclass(frozen=True, order=True)
class Occurrence:
    """One time that an event takes place, first and last day."""

    start: dt.date
    end: dt.date
    slug: str = ""

    def text(self, language: str) -> str:
        """Return the days as the reader's language writes them."""
        locale = LOCALES[language]
        days = [format_date(day, "long", locale=locale) for day in (self.start, self.end)]
        return " – ".join(dict.fromkeys(days))


def next_occurrence(event: Dated, day: dt.date) -> Occurrence | None:
    """Return the occurrence that is under way on a day, or else the next one; None when there is none any more.

    The days of other years are those of the solar or lunar date that `event_start` stands for; the length stays. What
    falls on the 29th of February or on the 30th of a lunar month is held a day earlier in years without it.
    """
    if event.event_start is None:
        return None
    length = (event.event_end or event.event_start) - event.event_start
    for start in _starts(event.event_start, event.event_repeats, day - length):
        if start >= event.event_start and start + length >= day:
            return Occurrence(start, start + length)
    return None


def _starts(first: dt.date, repeats: str, since: dt.date) -> Iterator[dt.date]:
    """Yield the first days of an event's occurrences, about a year each, from before `since` on."""
    if repeats == Repeats.SOLAR:
        for year in range(since.year, since.year + 9):
            leap_day = (first.month, first.day) == (2, 29)
            try:
                yield first.replace(year=year)
            except ValueError:
                if leap_day:
                    yield dt.date(year, 2, 28)
    elif repeats == Repeats.LUNAR:
        lunar = solar_to_lunar(first)
        this = solar_to_lunar(since).year
        for year in range(this - 1, this + 3):
            yield _lunar(lunar.day, lunar.month, year)
    else:
        yield first


def _lunar(day: int, month: int, year: int) -> dt.date:
    there = lunar_to_solar(LunarDate(day, month, year))
    # The 30th of a month of 29 days comes out as the next month's first.
    return there if solar_to_lunar(there).day == day else there - dt.timedelta(days=1)


def upcoming(first: dt.date, last: dt.date, without: Collection[str] = ()) -> list[Occurrence]:
    """Return what takes place in the days from `first` to `last`, in order, of what may be answered.

    Entries of the topics `without` are left out.
    """
    found = []
    for entry in Entry.objects.answerable().exclude(event_start=None).exclude(category__in=without):
        there = next_occurrence(entry, first)
        if there and there.start <= last:
            found.append(Occurrence(there.start, there.end, entry.slug))
    return sorted(found)
