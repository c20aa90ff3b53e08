"""The columns of a table of content: their names in both languages, and how a cell becomes a value and back."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from knowledge.exchange.errors import CellError
from knowledge.models import LANGUAGE_CHOICES, MAX_ANSWER, Category, Repeats, Sensitivity
from nlu.text import fold

MAX_QUESTION = 300
_YES, _NO = {"co", "yes", "true", "1", "x"}, {"khong", "no", "false", "0"}
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True)
class Column:
    """A column: its key (the field it fills), its name as people read it, and how a cell of it is read."""

    key: str
    title: str
    read: Callable[[str], Any]
    # Of one language's text, not of the entry, which is the same in each of its rows.
    of_text: bool = False
    # What stands here when the cell is left empty.
    empty: Any = ""
    width: int = 16


def lines(text: str) -> list[str]:
    """Return the lines of a cell that hold anything."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def tidy(text: Any) -> str:
    """Return a cell's text in NFC, with plain ends of line and without space around it."""
    return unicodedata.normalize("NFC", str(text)).replace("\r\n", "\n").replace("\r", "\n").strip()


def day(text: str) -> dt.date:
    """Return a day written as 2026-11-22 or, the Vietnamese way, 22/11/2026; raises CellError for another form."""
    try:
        if found := _DAY.fullmatch(text):
            return dt.date(int(found[3]), int(found[2]), int(found[1]))
        return dt.date.fromisoformat(text[:10] if re.fullmatch(r"\d{4}-\d\d-\d\d[ T]00:00:00", text) else text)
    except ValueError:
        raise CellError(
            f"“{text}” không phải ngày; ghi 22/11/2026 hoặc 2026-11-22. / "
            f"“{text}” is no date; write 22/11/2026 (day first) or 2026-11-22."
        ) from None


def _text(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > limit:
            raise CellError(
                f"{len(text)} ký tự, tối đa {limit}; hãy rút gọn. / "
                f"{len(text)} characters, at most {limit}; shorten it."
            )
        return text

    return read


def _degrees(limit: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = limit + 1.0
        if not -limit <= value <= limit:
            raise CellError(
                f"“{text}” không phải tọa độ; ghi độ thập phân từ -{limit} đến {limit}, ví dụ 10.3597. / "
                f"“{text}” is no coordinate; write decimal degrees from -{limit} to {limit}, such as 10.3597."
            )
        return value

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = text.removesuffix(".0")
        if not plain.isdecimal() or not low <= int(plain) <= high:
            raise CellError(
                f"“{text}”: ghi số nguyên từ {low} đến {high}. / “{text}”: write a whole number from {low} to {high}."
            )
        return int(plain)

    return read


def _yes(text: str) -> bool:
    word = fold(text)
    if word in _YES | _NO:
        return word in _YES
    raise CellError(f"“{text}”: ghi có hoặc không. / “{text}”: write có (yes) or không (no).")


def _choice(choices: list[tuple[str, str]]) -> Callable[[str], str]:
    """Read a choice by its value, or by its name in either language."""
    known = {fold(name): value for value, label in choices for name in (value, label, *label.split(" / "))}

    def read(text: str) -> str:
        value = known.get(fold(text))
        if value is None:
            allowed = ", ".join(value for value, _ in choices)
            raise CellError(
                f"“{text}” không có trong danh sách; chọn: {allowed}. / “{text}” is not known; choose: {allowed}."
            )
        return value

    return read


def _slug(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{1,80}", text):
        raise CellError(
            f"“{text}”: mã chỉ gồm a-z, 0-9 và gạch nối, tối đa 80; để trống thì máy đặt. / "
            f"“{text}”: a slug has only a-z, 0-9 and hyphens, at most 80; left empty, one is made."
        )
    return text


def _web(text: str) -> str:
    if not re.fullmatch(r"https?://\S+", text) or len(text) > 200:
        raise CellError(
            f"“{text}”: ghi địa chỉ đầy đủ, bắt đầu bằng https://. / "
            f"“{text}”: write the full address, from https:// on."
        )
    return text


def _sources(text: str) -> list[dict[str, Any]]:
    """Read sources, one a line: title | address | day it was seen (today when left out)."""
    found = []
    for line in lines(text):
        parts = [part.strip() for part in line.rsplit(" | ", 2)]
        if len(parts) == 2:
            parts.append(timezone.localdate().isoformat())
        if len(parts) != 3 or not parts[0] or not re.fullmatch(r"https?://\S{1,990}", parts[1]) or len(parts[0]) > 300:
            raise CellError(
                f"“{line}”: ghi mỗi dòng một nguồn: tên | https://địa-chỉ | ngày xem. / "
                f"“{line}”: write one source a line: title | https://address | day seen."
            )
        found.append({"title": parts[0], "url": parts[1], "seen_on": day(parts[2])})
    return found


LANGUAGE = Column("language", "Ngôn ngữ / Language", _choice(LANGUAGE_CHOICES), of_text=True, width=10)
QUESTION = Column("question", "Câu hỏi / Question", _text(MAX_QUESTION), of_text=True, width=40)
OTHERS = Column(
    "other_questions", "Cách hỏi khác (mỗi dòng một câu) / Other questions (one a line)", lines, True, [], 40
)
ANSWER = Column("answer", "Câu trả lời / Answer", _text(MAX_ANSWER), of_text=True, width=70)
TRANSLATED = Column("source_language", "Dịch từ / Translated from", _choice(LANGUAGE_CHOICES), of_text=True, width=10)
VERSION = Column(
    "source_version", "Phiên bản gốc / Version of the original", _whole(1, 10**6), of_text=True, empty=None, width=10
)
SLUG = Column("slug", "Mã / Slug", _slug, width=28)
# The keys are the fields of Entry and Translation; the order is the order of the columns.
COLUMNS: tuple[Column, ...] = (
    SLUG,
    Column("category", "Chủ đề / Category", _choice(Category.choices)),
    Column("department", "Cơ quan / Department", _text(200), width=20),
    LANGUAGE, QUESTION, OTHERS, ANSWER, TRANSLATED,
    Column(
        "sources", "Nguồn (tên | địa chỉ | ngày xem) / Sources (title | address | day seen)", _sources,
        empty=[], width=50,
    ),
    Column("facts", "Mã dữ kiện / Research keys", lines, empty=[]),
    Column("place_name", "Địa điểm / Place", _text(200)),
    Column("address", "Địa chỉ / Address", _text(300), width=30),
    Column("address_before_2025", "Địa chỉ trước 1/7/2025 / Address before 1 July 2025", _text(300), width=30),
    Column("latitude", "Vĩ độ / Latitude", _degrees(90), empty=None),
    Column("longitude", "Kinh độ / Longitude", _degrees(180), empty=None),
    Column("phone", "Điện thoại / Phone", _text(50)),
    Column("web", "Trang web / Web address", _web, width=24),
    Column("aliases", "Tên gọi khác (mỗi dòng một tên) / Other names (one a line)", lines, empty=[], width=24),
    Column("verified_on", "Ngày kiểm tra / Verified on", day, empty=None),
    Column("review_by", "Kiểm tra lại trước / Review by", day, empty=None),
    Column("valid_from", "Hiệu lực từ / Valid from", day, empty=None),
    Column("valid_until", "Hiệu lực đến / Valid until", day, empty=None),
    Column("event_start", "Sự kiện từ / Event starts", day, empty=None),
    Column("event_end", "Sự kiện đến / Event ends", day, empty=None),
    Column("event_repeats", "Sự kiện lặp lại / Event repeats", _choice(Repeats.choices)),
    Column("sensitivity", "Phạm vi / Sensitivity", _choice(Sensitivity.choices[:2]), empty=None),
    Column("statement", "Phát ngôn chính thức / Official statement", _yes, empty=None),
    Column("clarification", "Đính chính / Clarification", _yes, empty=None),
    Column("priority", "Ưu tiên / Priority", _whole(1, 100), empty=None),
)  # fmt: skip
# For outside translators: the original beside the place for the translation. What is said of the original is not read.
ORIGINAL = (
    Column("source_question", "Câu hỏi gốc / Original question", str, of_text=True, width=40),
    Column("source_other_questions", "Cách hỏi khác, bản gốc / Original other questions", str, of_text=True, width=40),
    Column("source_answer", "Câu trả lời gốc / Original answer", str, of_text=True, width=60),
    Column("status", "Tình trạng / Status", str, of_text=True, width=14),
)
TRANSLATORS: tuple[Column, ...] = (
    SLUG,
    LANGUAGE,
    ORIGINAL[3],
    *ORIGINAL[:3],
    QUESTION,
    OTHERS,
    ANSWER,
    TRANSLATED,
    VERSION,
)
IGNORED = {column.key for column in ORIGINAL}
ALL: dict[str, Column] = {column.key: column for column in (*COLUMNS, *ORIGINAL, VERSION)}
# An empty cell of these says nothing: an entry cannot be without.
NEEDED = ("category", "department", "verified_on", "sensitivity", "statement", "clarification", "priority")


def _names() -> dict[str, str]:
    """Return what a heading may be called: its key, its name, either half of it, without what stands in brackets."""
    known = {}
    for column in ALL.values():
        halves = column.title.split(" / ")
        for name in (column.key, column.title, *halves, *(half.split(" (")[0] for half in halves)):
            known.setdefault(_bare(name), column.key)
    return known


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[_\s]+", " ", fold(text)).split())


_KNOWN = _names()


def named(heading: str) -> str | None:
    """Return the key of the column that a heading names, None for one that is not ours."""
    return _KNOWN.get(_bare(tidy(heading)))
