"""When festivals take place, by either calendar, and what is said to "what's on?"."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from builders import entry, translation
from hypothesis import given
from hypothesis import strategies as st

from desk.models import Pause
from knowledge.events import Occurrence, next_occurrence, upcoming
from knowledge.whats_on import whats_on
from nlu.languages import CODES

D = dt.date


def event(start: D, end: D | None = None, repeats: str = "") -> SimpleNamespace:
    return SimpleNamespace(event_start=start, event_end=end, event_repeats=repeats)


@pytest.mark.parametrize(
    ("given", "day", "start", "end"),
    [
        # Held once.
        (event(D(2026, 5, 1), D(2026, 5, 3)), D(2026, 4, 1), D(2026, 5, 1), D(2026, 5, 3)),
        (event(D(2026, 5, 1), D(2026, 5, 3)), D(2026, 5, 3), D(2026, 5, 1), D(2026, 5, 3)),
        (event(D(2026, 5, 1), D(2026, 5, 3)), D(2026, 5, 4), None, None),
        # Every year by the solar date; the turn of the year, the leap day.
        (event(D(2026, 1, 20), None, "solar"), D(2026, 11, 23), D(2027, 1, 20), D(2027, 1, 20)),
        (event(D(2025, 12, 30), D(2026, 1, 2), "solar"), D(2027, 1, 1), D(2026, 12, 30), D(2027, 1, 2)),
        (event(D(2024, 2, 29), None, "solar"), D(2025, 1, 1), D(2025, 2, 28), D(2025, 2, 28)),
        # Tết (1/1) and the fifteenth of the eighth month, as the Vietnamese calendar has them.
        (event(D(2026, 2, 17), None, "lunar"), D(2026, 11, 23), D(2027, 2, 6), D(2027, 2, 6)),
        (event(D(2026, 9, 25), None, "lunar"), D(2026, 11, 23), D(2027, 9, 15), D(2027, 9, 15)),
        # 1985: Tết was on 21 January in Vietnam, on 20 February in China.
        (event(D(1984, 2, 2), None, "lunar"), D(1984, 6, 1), D(1985, 1, 21), D(1985, 1, 21)),
        # The 9th to the 10th of the third month: the second day still counts.
        (event(D(2027, 4, 15), D(2027, 4, 16), "lunar"), D(2027, 4, 16), D(2027, 4, 15), D(2027, 4, 16)),
        # 30/12 of a year whose last month has 29 days is held on the 29th, the eve of Tết.
        (event(D(2024, 2, 9), None, "lunar"), D(2025, 1, 1), D(2025, 1, 28), D(2025, 1, 28)),
        # Never before the occurrence that is given.
        (event(D(2028, 1, 20), None, "solar"), D(2026, 11, 23), D(2028, 1, 20), D(2028, 1, 20)),
        (SimpleNamespace(event_start=None, event_end=None, event_repeats=""), D(2026, 1, 1), None, None),
    ],
)
def test_the_next_time_is_found(given, day, start, end) -> None:
    found = next_occurrence(given, day)
    assert found == (Occurrence(start, end) if start else None)


DAYS = st.dates(D(1950, 1, 1), D(2050, 1, 1))


@given(DAYS, st.integers(0, 20), st.sampled_from(["solar", "lunar"]), st.integers(0, 9000))
def test_what_comes_again_always_has_a_next_time_within_thirteen_months(first, length, repeats, later) -> None:
    day = first + dt.timedelta(days=later)
    found = next_occurrence(event(first, first + dt.timedelta(days=length), repeats), day)
    assert found.end >= day
    assert found.start <= day + dt.timedelta(days=385)
    assert found.end - found.start == dt.timedelta(days=length)


@pytest.mark.parametrize("language", CODES)
def test_days_are_written_as_the_language_writes_them(language) -> None:
    one = Occurrence(D(2027, 4, 15), D(2027, 4, 15)).text(language)
    assert "15" in one
    assert "2027" in one
    assert one in Occurrence(D(2027, 4, 15), D(2027, 4, 16)).text(language)


@pytest.fixture
def festivals(db) -> None:
    whale = entry("whale", event_start=D(2026, 4, 25), event_end=D(2026, 4, 26), event_repeats="lunar")
    fair = entry("fair", category="city", event_start=D(2027, 4, 10), event_end=D(2027, 4, 20))
    over = entry("over", event_start=D(2026, 4, 10))
    gone = entry("gone", event_start=D(2027, 4, 15), valid_until=D(2026, 1, 1))
    for each in (whale, fair, over, gone):
        for language in ("vi", "en"):
            translation(each, language, f"When is the {each.slug}? ({language})")


def test_what_takes_place_is_listed_in_order(festivals) -> None:
    found = upcoming(D(2027, 4, 12), D(2027, 4, 19))
    assert [(each.slug, each.start) for each in found] == [("fair", D(2027, 4, 10)), ("whale", D(2027, 4, 15))]
    assert [each.slug for each in upcoming(D(2027, 4, 12), D(2027, 4, 14))] == ["fair"]
    assert upcoming(D(2027, 4, 21), D(2027, 5, 1)) == []


def test_the_answer_names_days_and_entries_else_the_next_ones(festivals) -> None:
    told = whats_on((D(2027, 4, 12), D(2027, 4, 19)), "en")
    assert (told.response, told.entries) == ("utter_whats_on", ["fair", "whale"])
    assert told.values["list"].splitlines()[1] == "📅 15 April 2027 – 16 April 2027 · When is the whale? (en)"
    told = whats_on((D(2027, 3, 1), D(2027, 3, 8)), "fr")
    assert (told.response, told.entries) == ("utter_whats_on_next", ["fair", "whale"])
    assert "15 avril 2027" in told.values["list"]
    told = whats_on((D(2027, 6, 1), D(2027, 6, 8)), "vi")
    assert (told.response, told.entries) == ("utter_whats_on_none", [])


def test_a_paused_topic_is_not_listed(festivals) -> None:
    Pause.objects.create(category="city", reason="fault", note="x")
    assert whats_on((D(2027, 4, 12), D(2027, 4, 19)), "en").entries == ["whale"]
