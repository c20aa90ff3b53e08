"""Reads the settings of the office hours; nothing here needs Django, so that the settings themselves can be checked."""

from __future__ import annotations

import datetime as dt

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Span = tuple[dt.time, dt.time]


class HoursError(ValueError):
    """Settings of the office hours that cannot be read; the text says which and how they are written."""


def read_hours(written: str) -> tuple[Span, ...]:
    """Return the spans of "07:30-11:30,13:30-17:00"; raises HoursError for anything else."""
    try:
        spans = tuple(
            (dt.time.fromisoformat(start.strip()), dt.time.fromisoformat(end.strip()))
            for start, end in (span.split("-") for span in written.split(","))
        )
    except ValueError as error:
        raise HoursError(f"CITYDESK_OFFICE_HOURS is {written!r}; write it like 07:30-11:30,13:30-17:00") from error
    flat = [moment for span in spans for moment in span]
    if flat != sorted(set(flat)):
        raise HoursError(f"CITYDESK_OFFICE_HOURS is {written!r}; its times must rise")
    return spans


def read_days(written: list[str]) -> frozenset[int]:
    """Return weekdays (Monday 0) of ["mon", "tue"]; raises HoursError for anything else."""
    unknown = [day for day in written if day.strip().lower() not in DAYS]
    if unknown or not written:
        raise HoursError(f"CITYDESK_OFFICE_DAYS names {unknown}; days are {', '.join(DAYS)}")
    return frozenset(DAYS.index(day.strip().lower()) for day in written)


def read_closed(written: list[str]) -> frozenset[dt.date]:
    """Return the days of ["2027-02-11"]; raises HoursError for anything else."""
    try:
        return frozenset(dt.date.fromisoformat(day.strip()) for day in written)
    except ValueError as error:
        raise HoursError(
            f"CITYDESK_OFFICE_CLOSED is {','.join(written)!r}; write days like 2027-02-11,2027-02-12"
        ) from error
