"""Who asks what is on, and for which days."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from nlu.events import LONGEST, asked_span

MONDAY = dt.date(2026, 11, 23)
QUESTIONS = Path(__file__).parents[1] / "data" / "questions"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("what's on this week?", (0, 7)),
        ("any festivals this weekend?", (5, 6)),
        ("events today", (0, 0)),
        ("upcoming events in My Tho", (0, 60)),
        ("Cuối tuần này có lễ hội gì không?", (5, 6)),
        ("tuan nay my tho co su kien gi", (0, 7)),
        ("hôm nay có gì vui", (0, 0)),
        ("sắp tới có lễ hội gì", (0, 60)),
        ("本周有什么活动", (0, 7)),
        ("最近美荻有什么节日活动吗", (0, 60)),
        ("이번 주말에 축제 있나요?", (5, 6)),
        ("앞으로 어떤 행사가 있나요", (0, 60)),
        ("今週末イベントはありますか", (5, 6)),
        ("これからのお祭りを教えて", (0, 60)),
        ("Y a-t-il des fêtes ce week-end ?", (5, 6)),
        ("événements à venir à My Tho", (0, 60)),
        ("Какие праздники на этой неделе?", (0, 7)),
        ("Что интересного в выходные?", (5, 6)),
    ],
)
def test_a_question_what_is_on_is_read_with_its_days(text, days) -> None:
    assert asked_span(text, MONDAY) == tuple(MONDAY + dt.timedelta(days=each) for each in days)


@pytest.mark.parametrize(
    "text",
    [
        "When is the whale festival?", "Lễ hội Nghinh Ông ngày nào?", "is the pagoda open this weekend?",
        "tháng này mưa nhiều không", "What festivals are there in My Tho?", "오늘 비 와요?", "Какая погода сегодня?",
        "les horaires du musée aujourd'hui", "business event registration this week", "chợ nổi hôm nay có họp không",
        "明天去哪里吃", "今日は開いていますか", "", "event this week " * (LONGEST // 10),
    ],
)  # fmt: skip
def test_other_questions_are_not(text) -> None:
    assert asked_span(text, MONDAY) is None


@pytest.mark.parametrize(("day", "days"), [(26, (2, 3)), (28, (0, 1)), (29, (0, 0))])
def test_the_weekend_is_the_one_at_hand(day, days) -> None:
    today = dt.date(2026, 11, day)
    assert asked_span("any festivals this weekend?", today) == tuple(today + dt.timedelta(days=each) for each in days)


def test_no_labelled_question_about_something_else_is_taken() -> None:
    asked = [
        row
        for file in QUESTIONS.glob("*.jsonl")
        for row in map(json.loads, file.read_text(encoding="utf-8").splitlines())
        if asked_span(row["text"], MONDAY)
    ]
    assert [row["text"] for row in asked if not set(row["relevant"]) <= {"festivals"} or not row["relevant"]] == []
