"""When the office is open, and what somebody who writes outside its hours is told: in their language and their zone.

Hours are settings; public holidays with Tết and the days in lieu come from the `holidays` library, days that the
government adds from a setting.
"""

from __future__ import annotations

import datetime as dt
import logging
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings

from bot.texts import say
from desk.office import HoursError, read_closed, read_days, read_hours
from desk.zones import CITY, clock_text, day_text, is_zone, place_of

logger = logging.getLogger(__name__)
# Longer than any holiday; a calendar without one open day in it is a mistake in the settings.
_LOOK_AHEAD = 40


@lru_cache(maxsize=8)
def _public_holidays(year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays("VN", years=year))


def is_working_day(day: dt.date) -> bool:
    """Tell whether the office opens on a day."""
    return (
        day.weekday() in read_days(settings.OFFICE_DAYS)
        and day not in _public_holidays(day.year)
        and day not in read_closed(settings.OFFICE_CLOSED)
    )


def is_open(now: dt.datetime) -> bool:
    """Tell whether the office is open at a moment."""
    local = now.astimezone(CITY)
    return is_working_day(local.date()) and any(
        start <= local.time() < end for start, end in read_hours(settings.OFFICE_HOURS)
    )


def next_opening(now: dt.datetime) -> dt.datetime:
    """Return the next moment at which the office opens, in its zone; raises HoursError when there is none in sight."""
    local = now.astimezone(CITY)
    for ahead in range(_LOOK_AHEAD):
        day = local.date() + dt.timedelta(days=ahead)
        if is_working_day(day):
            for start, _ in read_hours(settings.OFFICE_HOURS):
                opening = dt.datetime.combine(day, start, CITY)
                if opening > local:
                    return opening
    raise HoursError(f"No working day within {_LOOK_AHEAD} days: see CITYDESK_OFFICE_DAYS and CITYDESK_OFFICE_CLOSED")


def when_text(language: str, zone: str = "", now: dt.datetime | None = None) -> str:
    """Return when somebody will look at a request made now, in a language and, where it is known, the asker's zone.

    It promises no answer: only that the office is open, or when it opens. Hours that cannot be read are logged and
    nothing is said: the ticket is what counts.
    """
    now = now or dt.datetime.now(CITY)
    try:
        if is_open(now):
            return say("office_open", language)
        opening = next_opening(now)
    except HoursError as error:
        logger.error("%s", error)
        return ""
    said = {"day": day_text(opening, language), "time": clock_text(opening, language)}
    own = opening.astimezone(ZoneInfo(zone)) if is_zone(zone) else opening
    if own.utcoffset() == opening.utcoffset():
        return say("office_closed", language, **said)
    own_time = clock_text(own, language)
    if own.date() != opening.date():
        own_time = f"{day_text(own, language)}, {own_time}"
    return say("office_closed_abroad", language, **said, own=own_time, place=place_of(own.tzinfo, language))
