"""Deadlines in seven languages, read on Monday 23 November 2026, nine o'clock in the city."""

from __future__ import annotations

from datetime import datetime

import pytest

from actions.deadline import CITY, DeadlineError, PastDeadlineError, read_deadline

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=CITY)
CASES = """
en | 25/11/2026 17:00 | 2026-11-25 17:00
en | tomorrow at 5 pm | 2026-11-24 17:00
en | Friday noon | 2026-11-27 12:00
en | next Monday | 2026-11-30 23:59
en | in two weeks | 2026-12-07 23:59
en | Nov 30, 5pm | 2026-11-30 17:00
en | by the end of the month | 2026-11-30 23:59
en | tomorrow 5pm London time | 2026-11-25 00:00
en | 2026-12-01 10:00 UTC+1 | 2026-12-01 16:00
en | within 48 hours | 2026-11-25 09:00
vi | ngày mai lúc 9 giờ | 2026-11-24 09:00
vi | 5 giờ chiều mai | 2026-11-24 17:00
vi | thứ sáu tuần sau | 2026-12-04 23:59
vi | thu sau tuan sau | 2026-12-04 23:59
vi | 30 tháng 11 | 2026-11-30 23:59
vi | 17h ngày 25/11 | 2026-11-25 17:00
vi | trong 3 ngày | 2026-11-26 23:59
zh | 11月25日17:00 | 2026-11-25 17:00
zh | 明天下午五点 | 2026-11-24 17:00
zh | 下周一 | 2026-11-30 23:59
zh | 三天内 | 2026-11-26 23:59
ko | 11월 25일 17:00 | 2026-11-25 17:00
ko | 내일 오후 5시 | 2026-11-24 17:00
ko | 다음 주 월요일 | 2026-11-30 23:59
ko | 3일 안에 | 2026-11-26 23:59
ja | 明日の午後5時 | 2026-11-24 17:00
ja | 来週の月曜日 | 2026-11-30 23:59
ja | 二週間以内 | 2026-12-07 23:59
fr | demain à 17 heures | 2026-11-24 17:00
fr | demain 9h | 2026-11-24 09:00
fr | avant le 1er décembre | 2026-12-01 23:59
fr | d'ici deux semaines | 2026-12-07 23:59
ru | завтра в 17:00 | 2026-11-24 17:00
ru | завтра в 9 утра | 2026-11-24 09:00
ru | до 30 ноября | 2026-11-30 23:59
ru | через две недели | 2026-12-07 23:59
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_a_moment_is_read(case: str) -> None:
    language, text, expected = (part.strip() for part in case.split("|"))
    assert f"{read_deadline(text, language, NOW):%Y-%m-%d %H:%M}" == expected


def test_moments_are_in_the_citys_zone() -> None:
    assert str(read_deadline("tomorrow", "en", NOW).tzinfo) == "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize("text", ["20/11/2026", "23/11/2026 08:00", "1/1/2020"])
def test_the_past_is_refused(text: str) -> None:
    with pytest.raises(PastDeadlineError):
        read_deadline(text, "en", NOW)


@pytest.mark.parametrize("text", ["banana", "soon", "", "32/13", "25:99", "12345", "the blue house"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(DeadlineError):
        read_deadline(text, "en", NOW)
