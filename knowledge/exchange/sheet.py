"""The knowledge base as one table: a row for each entry and language, as XLSX or CSV; and what translators are sent."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from knowledge.exchange.columns import COLUMNS, IGNORED, TRANSLATORS, Column, tidy
from knowledge.models import Entry, Translation
from nlu.languages import CODES, SOURCE

# A table program takes a text that begins so for a formula, whoever wrote it.
FORMULA = re.compile(r"'*[=+\-@\t]")
GREY = PatternFill("solid", fgColor="EEEEEE")
TOP = Alignment(wrap_text=True, vertical="top")
Row = dict[str, Any]


def everything() -> Iterator[Row]:
    """Yield a row for every text of every entry, and one for an entry that has none yet."""
    entries = Entry.objects.real().select_related("department").prefetch_related("sources", "translations")
    for entry in entries.order_by("category", "slug"):
        row = _entry(entry)
        texts = sorted(entry.translations.all(), key=lambda text: CODES.index(text.language))
        yield from ({**row, **_text(text)} for text in texts)
        if not texts:
            yield row


def missing(language: str) -> Iterator[Row]:
    """Yield a row for every entry whose text in a language is missing or older than its original, with the original."""
    for entry in Entry.objects.real().prefetch_related("translations").order_by("category", "slug"):
        texts = {text.language: text for text in entry.translations.all()}
        there = texts.pop(language, None)
        original = texts.get(there.source_language if there else "") or _original(texts)
        if original is None or (there is not None and not there.out_of_date(texts.values())):
            continue
        row = {
            "slug": entry.slug, "language": language, "source_language": original.language,
            "source_version": original.version, "source_question": original.question,
            "source_other_questions": original.other_questions, "source_answer": original.answer,
            "status": "cũ / out of date" if there else "thiếu / missing",
        }  # fmt: skip
        yield {**row, **({**_text(there), "source_language": original.language} if there else {})}


def _original(texts: dict[str, Translation]) -> Translation | None:
    """Return what to translate from: the Vietnamese text, else one that is no translation itself."""
    return texts.get(SOURCE) or next((text for text in texts.values() if not text.source_language), None)


def _entry(entry: Entry) -> Row:
    fields = [column.key for column in COLUMNS if not column.of_text and column.key not in ("department", "sources")]
    sources = [f"{each.title} | {each.url} | {each.seen_on}" for each in entry.sources.all()]
    return {
        **{key: getattr(entry, key) for key in fields}, "department": entry.department.slug, "sources": sources,
    }  # fmt: skip


def _text(text: Translation) -> Row:
    return {key: getattr(text, key) for key in ("language", "question", "other_questions", "answer", "source_language")}


def cell(value: Any) -> Any:
    """Return what stands in a cell for a value: a text, a number or a date."""
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, list):
        value = "\n".join(value)
    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("", tidy(value))
    return "" if value is None else value


def xlsx(rows: Iterable[Row], columns: Sequence[Column] = COLUMNS) -> bytes:
    """Return the rows as a workbook of one sheet, headings fixed; what is not read back stands on grey."""
    book = Workbook(write_only=True)
    page = book.create_sheet("Citydesk")
    page.freeze_panes = "B2"
    for number, column in enumerate(columns, 1):
        page.column_dimensions[get_column_letter(number)].width = column.width
    page.append([_styled(page, column.title, column, head=True) for column in columns])
    for row in rows:
        page.append([_styled(page, cell(row.get(column.key)), column) for column in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _styled(page: Any, value: Any, column: Column, *, head: bool = False) -> WriteOnlyCell:
    made = WriteOnlyCell(page, value)
    made.alignment = TOP
    if isinstance(value, str):
        # Text stays text, whatever it looks like: "=1+1", and the zero of a telephone number when it is edited.
        made.data_type, made.number_format = "s", "@"
    elif isinstance(value, dt.date):
        made.number_format = "yyyy-mm-dd"
    if head:
        made.font = Font(bold=True)
    if column.key in IGNORED:
        made.fill = GREY
    return made


def table(rows: Iterable[Row], columns: Sequence[Column] = COLUMNS) -> bytes:
    """Return the rows as CSV in UTF-8 with a byte order mark, by which Excel knows it; no cell begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.title for column in columns])
    for row in rows:
        values = [cell(row.get(column.key)) for column in columns]
        writer.writerow([f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value for value in values])
    return out.getvalue().encode("utf-8-sig")


def for_translators(language: str) -> bytes:
    """Return the workbook of what is missing or out of date in a language."""
    return xlsx(missing(language), TRANSLATORS)
