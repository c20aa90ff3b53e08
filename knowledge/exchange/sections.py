"""Headings as questions, the text under them as answers: what a document and a web page have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from knowledge.exchange.columns import ANSWER, QUESTION, tidy
from knowledge.exchange.errors import CellError, FileError, Problem
from knowledge.exchange.table import Read

_SOURCE = re.compile(r"(?:nguồn|sources?)\s*:\s*(.*?)\s*(https?://\S+)", re.IGNORECASE)
_OTHERS = re.compile(r"(?:cách hỏi khác|other (?:questions|ways to ask))\s*:\s*(.+)", re.IGNORECASE)


@dataclass
class Section:
    """A heading with its level, 1 the highest, and the paragraphs up to the next heading."""

    level: int
    heading: str
    paragraphs: list[str] = field(default_factory=list)


def rows(sections: Iterable[Section], sources: list[dict[str, Any]]) -> Read:
    """Return a row for every heading with text under it, numbered as the headings are.

    A line "Nguồn: title https://…" is a source, "Cách hỏi khác: … ; …" other questions. A heading without text is that
    of a chapter when deeper ones follow, otherwise a problem. Raises FileError when there is no heading at all.
    """
    read, all_of_them = Read(), [*sections]
    if not all_of_them:
        raise FileError(
            "Không thấy tiêu đề nào; mỗi câu hỏi cần kiểu “Heading” (đề mục), câu trả lời ở dưới. / No headings found; "
            "give each question a heading style, with its answer below."
        )
    for number, section in enumerate(all_of_them, 1):
        if section.paragraphs:
            read.rows.append((number, _row(number, section, sources, read)))
        elif number == len(all_of_them) or all_of_them[number].level <= section.level:
            read.problems.append(
                Problem(
                    number, ANSWER.title,
                    f"Không có câu trả lời dưới “{section.heading[:80]}”; viết câu trả lời hoặc bỏ đề mục. / "
                    f"No answer under “{section.heading[:80]}”; write one or remove the heading.",
                )
            )  # fmt: skip
    return read


def _row(number: int, section: Section, sources: list[dict[str, Any]], read: Read) -> dict[str, Any]:
    found, others, answer = [*sources], [], []
    for paragraph in section.paragraphs:
        if source := _SOURCE.fullmatch(paragraph):
            title = source[1].strip(" |,;–-") or source[2].split("/")[2]
            found.append({"title": title[:300], "url": source[2], "seen_on": timezone.localdate()})
        elif other := _OTHERS.fullmatch(paragraph):
            others += [each.strip() for each in other[1].split(";") if each.strip()]
        else:
            answer.append(paragraph)
    row: dict[str, Any] = {}
    if others:
        row["other_questions"] = others
    if found:
        row["sources"] = found
    for column, text in ((QUESTION, section.heading), (ANSWER, "\n".join(answer))):
        try:
            row[column.key] = column.read(tidy(text))
        except CellError as error:
            read.problems.append(Problem(number, column.title, str(error)))
    return row
