"""Office hours, holidays and Tết, and what somebody elsewhere in the world is told."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest

from desk.hours import is_open, next_opening, when_text
from desk.office import HoursError, read_closed, read_days, read_hours
from desk.zones import CITY, LOCALES, country_of, zone_of_country, zone_of_place
from nlu.languages import CODES


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=CITY)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-23 06:00", "2026-11-23 07:30"),  # a Monday, early
        ("2026-11-23 12:00", "2026-11-23 13:30"),  # at lunch
        ("2026-11-27 17:00", "2026-11-30 07:30"),  # a Friday, closed to the minute
        ("2026-11-28 10:00", "2026-11-30 07:30"),  # a Saturday
        ("2026-04-26 10:00", "2026-04-28 07:30"),  # the Hùng Kings' day falls on a Sunday: Monday is in lieu
        ("2026-02-15 10:00", "2026-02-23 07:30"),  # Tết
        ("2026-04-29 18:00", "2026-05-04 07:30"),  # 30 April and 1 May
    ],
)
def test_the_next_opening(now: str, opening: str) -> None:
    assert not is_open(at(now))
    assert next_opening(at(now)) == at(opening)


def test_open_hours_are_the_citys_wherever_the_clock_stands() -> None:
    assert is_open(at("2026-11-23 08:00"))
    assert is_open(dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC))
    assert not is_open(dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5))))


def test_days_that_the_government_adds_are_a_setting(settings: Any) -> None:
    settings.OFFICE_CLOSED = ["2026-11-30", "2026-12-01"]
    assert next_opening(at("2026-11-28 10:00")) == at("2026-12-02 07:30")
    settings.OFFICE_DAYS, settings.OFFICE_HOURS = ["sat"], "08:00-11:00"
    assert next_opening(at("2026-11-23 10:00")) == at("2026-11-28 08:00")


@pytest.mark.parametrize("written", ["", "7-11", "13:30-17:00,07:30-11:30", "17:00-07:30", "07:30-11:30-13:00"])
def test_hours_that_cannot_be_read_are_refused(written: str) -> None:
    with pytest.raises(HoursError, match="CITYDESK_OFFICE_HOURS"):
        read_hours(written)


def test_days_that_are_none_are_refused() -> None:
    with pytest.raises(HoursError, match="holiday"):
        read_days(["mon", "holiday"])


def test_closed_days_that_are_no_dates_are_refused() -> None:
    with pytest.raises(HoursError, match="CITYDESK_OFFICE_CLOSED is '2027-02-30'"):
        read_closed(["2027-02-30"])


def test_wrong_settings_lose_no_ticket(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.OFFICE_HOURS = "always"
    with caplog.at_level(logging.ERROR):
        assert when_text("en", "", at("2026-11-28 10:00")) == ""
    assert "CITYDESK_OFFICE_HOURS" in caplog.text


def test_when_somebody_looks_is_said_in_the_askers_language_and_zone() -> None:
    now = at("2026-11-28 10:00")
    assert when_text("en", "Europe/London", now) == (
        "The office is closed now; somebody will look on Monday, 30 November 2026 from 07:30 (Vietnam time),"
        " that is 00:30 in your time (London)."
    )
    assert "dimanche 29 novembre 2026, 19:30 chez vous (New York)" in when_text("fr", "America/New_York", now)
    assert "2026년 11월 30일 월요일 07:30(베트남 시간), 즉 현지 시간(서울) 09:30" in when_text("ko", "Asia/Seoul", now)
    for zone in ("", "Asia/Ho_Chi_Minh", "Asia/Bangkok", "no zone"):
        assert when_text("en", zone, now).endswith("from 07:30 (Vietnam time).")


def test_in_office_hours_it_says_so_and_promises_nothing() -> None:
    assert when_text("en", "Europe/London", at("2026-11-23 09:00")) == "The office is open now."
    assert len({when_text(code, "", at("2026-11-23 09:00")) for code in CODES}) == len(CODES)


def test_every_language_has_a_locale() -> None:
    assert set(LOCALES) == set(CODES)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("UK", "Europe/London"),
        ("Vương quốc Anh", "Europe/London"),
        ("Pháp", "Europe/Paris"),
        ("한국", "Asia/Seoul"),
        ("日本", "Asia/Tokyo"),
        ("Allemagne", "Europe/Berlin"),
        ("中国", "Asia/Shanghai"),
        ("Китай", "Asia/Shanghai"),
        ("the Philippines", "Asia/Manila"),
        ("USA", None),
        ("Россия", None),
        ("Atlantis", None),
    ],
)
def test_the_zone_of_a_country_that_has_one(name: str, zone: str | None) -> None:
    assert zone_of_country(name) == zone


def test_places() -> None:
    assert zone_of_place("런던") == "Europe/London"
    assert zone_of_place("Нью-Йорк") == "America/New_York"
    assert zone_of_place("San Francisco") == "America/Los_Angeles"
    assert zone_of_place("BBC") is None
    assert country_of("Mỹ Tho") is None
