"""Reads the moment by which a journalist needs an answer, in seven languages.

dateparser alone reads "demain 9h" as "tomorrow, nine hours later" and no "下周一" at all; so the hour, the
zone and relative days are read here by the words in `actions/dates.yml`, and dateparser gets what is left:
dates with the names of months.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import dateparser

from actions.date_words import pattern, take, words
from desk.zones import CITY

LAST_MINUTE = time(23, 59)
_OFFSET = re.compile(r"(?:utc|gmt)\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_HOUR = re.compile(
    r"(?<!\d)(\d{1,2})\s*(?:시|点钟|点|點|時|giờ|gio|heures|heure|часов|часа|час|o'clock|h|g|ч)(?![a-zа-я간間])"
    r"\s*(?:(\d{1,2})\s*(?:분|分|phút|phut)?|(반|半|rưỡi|ruoi))?"
)
_BARE_HOUR = re.compile(
    r"(?<!\d)(\d{1,2})\s*(?=am\b|pm\b|a\.m|p\.m)|(?:\bat|\bв|\bдо)\s+(\d{1,2})(?=\s*(?:$|утра|дня|вечера))"
)
_NUMERIC = (
    re.compile(r"(?P<y>\d{4})[-/.年]\s*(?P<m>\d{1,2})[-/.月]\s*(?P<d>\d{1,2})日?"),
    re.compile(r"(?P<y>\d{4})년\s*(?P<m>\d{1,2})월\s*(?P<d>\d{1,2})일?"),
    re.compile(r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4}|\d{2})(?!\d)"),
    re.compile(r"(?P<m>\d{1,2})\s*[月월]\s*(?P<d>\d{1,2})\s*[日号號일]?"),
    re.compile(r"(?P<d>\d{1,2})\s*(?:tháng|thang)\s*(?P<m>\d{1,2})(?:\s*(?:năm|nam|,)?\s*(?P<y>\d{4}))?"),
    re.compile(r"(?<![\d:])(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})(?![\d:])"),
)


class DeadlineError(Exception):
    """No date could be read."""


class PastDeadlineError(DeadlineError):
    """The moment has passed."""


@dataclass(frozen=True)
class Moment:
    """A moment in the city's zone, the zone its words name (None: none), and whether they name an hour."""

    at: datetime
    zone: tzinfo | None
    hour: bool


def read_deadline(text: str, language: str, now: datetime | None = None) -> datetime:
    """Return the moment that `text` names, in the city's zone unless it names another; raises like `read_moment`."""
    return read_moment(text, language, now).at


def read_moment(text: str, language: str, now: datetime | None = None, default: tzinfo = CITY) -> Moment:
    """Return the moment that `text` names; `default` is the zone of words that name none.

    A day without an hour lasts until its last minute. Raises PastDeadlineError for a moment that has
    passed and DeadlineError for a text without a date.
    """
    now = (now or datetime.now(CITY)).astimezone(CITY)
    rest = _arabic_hours(f" {unicodedata.normalize('NFKC', text).lower().replace('’', chr(39))} ")
    rest, named = _take_zone(rest)
    zone = named or default
    local_now = now.astimezone(zone)
    # "thứ sáu tuần sau" is a Friday, not six weeks.
    if not any(pattern("weekdays", weekday).search(rest) for weekday in words()["weekdays"]):
        rest, exact = _take_span(rest, local_now)
        if exact is not None:
            return Moment(_checked(exact, now), named, True)
    rest, day = _take_numeric(rest, local_now)
    rest, hour = _take_time(rest)
    if day is None:
        rest, day = _take_relative(rest, local_now)
    if day is None:
        day = _by_dateparser(rest, language, local_now)
    if day is None:
        if hour is None:
            raise DeadlineError(text)
        # An hour alone is the next time the clock shows it.
        day = local_now.date() if hour > local_now.time() else local_now.date() + timedelta(days=1)
    moment = datetime.combine(day, hour or LAST_MINUTE, tzinfo=zone)
    return Moment(_checked(moment, now), named, hour is not None)


def _checked(moment: datetime, now: datetime) -> datetime:
    if moment <= now:
        raise PastDeadlineError(moment.isoformat())
    return moment.astimezone(CITY)


def _take_zone(rest: str) -> tuple[str, tzinfo | None]:
    offset = _OFFSET.search(rest)
    if offset:
        sign = 1 if offset.group(1) == "+" else -1
        hours, minutes = int(offset.group(2)), int(offset.group(3) or 0)
        if hours > 14 or minutes > 59:
            raise DeadlineError(rest)
        # IANA's zones of whole hours have their sign the other way round: UTC+9 is "Etc/GMT-9".
        zone = timezone(timedelta(hours=hours, minutes=minutes) * sign)
        if not minutes and (hours <= 12 or sign > 0):
            zone = ZoneInfo(f"Etc/GMT{-sign * hours:+d}") if hours else ZoneInfo("UTC")
        return rest.replace(offset.group(0), " "), zone
    for name in words()["zones"]:
        rest, found = take(rest, "zones", name)
        if found:
            return rest, ZoneInfo(name)
    return rest, None


def _take_span(rest: str, now: datetime) -> tuple[str, datetime | None]:
    """Read "in two weeks", "3 ngày", "两周之内"; hours end to the minute, the others at the day's end."""
    for unit in ("months", "weeks", "days", "hours"):
        unit_pattern = pattern("units", unit).pattern
        found = re.search(rf"(?<![\d./:-])(\d{{1,3}})\s*(?:{unit_pattern})(?!\s*\d)", rest)
        number = int(found.group(1)) if found else None
        if found is None:
            for candidate in words()["numbers"]:
                found = re.search(rf"(?:{pattern('numbers', candidate).pattern})\s*(?:{unit_pattern})", rest)
                if found:
                    number = candidate
                    break
        if found is None or number is None or _is_calendar_day(rest, found, unit):
            continue
        rest = rest[: found.start()] + " " + rest[found.end() :]
        if unit == "hours":
            return rest, now + timedelta(hours=number)
        day = _add_months(now, number) if unit == "months" else now + timedelta(**{unit: number})
        rest, hour = _take_time(rest)
        return rest, datetime.combine(day.date(), hour or LAST_MINUTE, tzinfo=now.tzinfo)
    return rest, None


def _is_calendar_day(rest: str, found: re.Match[str], unit: str) -> bool:
    """Whether "25日", "3월", "ngày 5" is a date and no span: 月 and 日 mean both."""
    text = found.group(0)
    if re.match(r"\s*(안에|이내|내에|내로|뒤|후|以内|之内|内|後|后)", rest[found.end() :]):
        return False
    if unit == "days" and re.search(r"[日일]$", text):
        return True
    if unit == "hours" and re.search(r"(heures?|час(а|ов)?|tiếng|tieng)$", text):
        # "à 17 heures", "в 9 часов" are moments; "dans 3 heures", "через 3 часа" are spans.
        return not re.search(
            r"(dans|d'ici|sous|через|в течение|trong|nữa)\s*$", rest[: found.start()].rstrip() + " "
        )
    return unit == "months" and re.search(r"[月]$", text) is not None and "个" not in text


def _arabic_hours(rest: str) -> str:
    """Write "五点", "十一点" with digits."""
    digits = "零一二三四五六七八九"

    def value(found: re.Match[str]) -> str:
        tens, _, ones = found.group(1).replace("两", "二").rpartition("十")
        number = digits.find(ones) if ones else 0
        if "十" in found.group(1):
            number += 10 * (digits.find(tens) if tens else 1)
        return str(number)

    return re.sub("([一二三四五六七八九十两]{1,3})(?=[点點時])", value, rest)


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def _take_time(rest: str) -> tuple[str, time | None]:
    found = _CLOCK.search(rest) or _HOUR.search(rest) or _BARE_HOUR.search(rest)
    if found:
        groups = [group for group in found.groups() if group is not None]
        hour = int(groups[0])
        minute = 0 if len(groups) < 2 else (int(groups[1]) if groups[1].isdigit() else 30)
        rest = rest[: found.start()] + " " + rest[found.end() :]
        rest, morning = take(rest, "morning")
        rest, afternoon = take(rest, "afternoon")
        if afternoon and hour < 12:
            hour += 12
        elif morning and hour == 12:
            hour = 0
        if hour == 24:
            return rest, LAST_MINUTE
        if hour > 23 or minute > 59:
            raise DeadlineError(rest)
        return rest, time(hour, minute)
    for name, moment in (("noon", time(12)), ("midnight", LAST_MINUTE), ("close_of_business", time(17))):
        rest, said = take(rest, name)
        if said:
            return rest, moment
    return rest, None


def _take_numeric(rest: str, now: datetime) -> tuple[str, Any]:
    for written in _NUMERIC:
        found = written.search(rest)
        if not found:
            continue
        parts = found.groupdict()
        year = int(parts.get("y") or 0)
        year = year + 2000 if 0 < year < 100 else year
        day, month = int(parts["d"]), int(parts["m"])
        if month > 12 >= day:  # 11/25: month first, as Americans write
            day, month = month, day
        try:
            date = now.date().replace(year=year or now.year, month=month, day=day)
            if not year and date < now.date() - timedelta(days=60):
                date = date.replace(year=now.year + 1)
        except ValueError as error:
            raise DeadlineError(found.group(0)) from error
        return rest[: found.start()] + " " + rest[found.end() :], date
    return rest, None


def _take_relative(rest: str, now: datetime) -> tuple[str, Any]:
    today = now.date()
    monday = today - timedelta(days=today.weekday())
    named = [
        (len(match.group(0)), weekday)
        for weekday in words()["weekdays"]
        if (match := pattern("weekdays", weekday).search(rest))
    ]
    if named:
        # The longest name: "thu sau" is a Vietnamese Friday before "thu" is an English Thursday.
        weekday = max(named)[1]
        rest, _ = take(rest, "weekdays", weekday)
        if pattern("next_week").search(rest) or re.search("下(?!午)", rest):
            return rest, monday + timedelta(days=7 + weekday)
        ahead = (weekday - today.weekday()) % 7
        # A weekday is its next occurrence; today's name is today, unless it is said to be the next one.
        return rest, today + timedelta(days=ahead or (7 if pattern("next").search(rest) else 0))
    rest, next_week = take(rest, "next_week")
    for days in sorted(words()["days"], reverse=True):
        rest, found = take(rest, "days", days)
        if found:
            return rest, today + timedelta(days=days)
    if next_week:
        return rest, monday + timedelta(days=11)
    for name in ("week_end", "month_end", "year_end"):
        rest, found = take(rest, name)
        if found and name == "week_end":
            return rest, monday + timedelta(days=4 if today.weekday() <= 4 else 6)
        if found and name == "month_end":
            return rest, today.replace(day=calendar.monthrange(today.year, today.month)[1])
        if found:
            return rest, today.replace(month=12, day=31)
    return rest, None


def _by_dateparser(rest: str, language: str, now: datetime) -> Any:
    """Let dateparser read a date with the name of a month: "25 November", "le 25 novembre", "25 ноября"."""
    cleaned = re.sub(
        r"\b(by|before|until|no later than|the|of|on|avant|jusqu'au|le|до|к|не позднее|trước|ngày)\b",
        " ",
        rest,
    )
    cleaned = re.sub(r"[^\w\s/.-]", " ", cleaned).strip(" .-")
    # dateparser takes any number for a date; a month's name needs letters beside the day.
    if not re.search(r"\d", cleaned) or not re.search(r"[^\W\d_]{3}", cleaned):
        return None
    found = dateparser.parse(
        cleaned,
        languages=list(dict.fromkeys([language, "en", "fr", "ru", "vi"])),
        settings={
            "PREFER_DATES_FROM": "future",
            "DATE_ORDER": "DMY",
            "RELATIVE_BASE": now.replace(tzinfo=None),
            "REQUIRE_PARTS": ["day", "month"],
            "PARSERS": ["absolute-time"],
        },
    )
    return found.date() if found else None
