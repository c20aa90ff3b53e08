"""Reads a table of content, XLSX or CSV: cells by the names of their columns, each problem with its row and column."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from knowledge.exchange.columns import ALL, IGNORED, named, tidy
from knowledge.exchange.errors import CellError, FileError, Problem
from knowledge.exchange.sheet import FORMULA

MAX_ROWS = 40_000
# Headings may stand below a title and a few lines of explanation.
HEADINGS_WITHIN = 10


@dataclass
class Read:
    """What a file holds: rows as (number, column → value), empty cells as their column's empty value; and problems."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_xlsx(data: bytes) -> Read:
    """Read the first sheet of a workbook that has our headings; raises FileError when none has."""
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise FileError(
            "Không mở được tệp XLSX này; mở bằng Excel hoặc LibreOffice rồi lưu lại dạng .xlsx. / "
            "This XLSX file cannot be opened; open it in Excel or LibreOffice and save it as .xlsx again."
        ) from error
    for page in book.worksheets:
        found = _read(page.iter_rows(values_only=True))
        if found is not None:
            return found
    raise _no_headings()


def read_csv(data: bytes) -> Read:
    """Read comma or semicolon separated values in UTF-8; raises FileError for other encodings and without headings."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(
            "Tệp CSV không ở dạng UTF-8; trong Excel chọn “Lưu thành › CSV UTF-8”. / "
            "This CSV file is not UTF-8; in Excel choose “Save as › CSV UTF-8”."
        ) from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        found = _read(_unguarded(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error as error:
        raise FileError(
            f"Không đọc được CSV ({error}); lưu lại dạng XLSX. / This CSV cannot be read ({error}); save it as XLSX."
        ) from error
    if found is None:
        raise _no_headings()
    return found


def _unguarded(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """Take off the apostrophe that `sheet.table` puts before what a table program would take for a formula."""
    for row in rows:
        yield [value[1:] if value.startswith("'") and FORMULA.match(value) else value for value in row]


def _no_headings() -> FileError:
    return FileError(
        "Không thấy hàng tiêu đề; hàng đầu cần ít nhất các cột “Ngôn ngữ”, “Câu hỏi”, “Câu trả lời”. Hãy xuất bảng từ "
        "trang này làm mẫu. / No row of headings found; the first row needs at least the columns “Language”, "
        "“Question” and “Answer”. Export a table on this page as a pattern."
    )


def _read(rows: Iterable[Iterable[Any]]) -> Read | None:
    """Return the rows below the headings, None where there are no headings of ours."""
    found, keys = Read(), {}
    for number, cells in enumerate(rows, 1):
        values = [_plain(value) for value in cells]
        if not keys:
            keys = _headings(number, values, found)
            if not keys and number >= HEADINGS_WITHIN:
                return None
        elif any(values):
            if len(found.rows) >= MAX_ROWS:
                raise FileError(f"Quá {MAX_ROWS} hàng; hãy chia tệp. / More than {MAX_ROWS} rows; divide the file.")
            found.rows.append((number, _row(number, values, keys, found)))
    return found if keys else None


def _headings(number: int, values: list[str], found: Read) -> dict[int, str]:
    names = {index: named(value) for index, value in enumerate(values) if value}
    if not {"question", "answer"} <= set(names.values()):
        return {}
    keys: dict[int, str] = {}
    for index, key in names.items():
        if key is None or key in keys.values():
            found.problems.append(
                Problem(
                    number, values[index][:60],
                    f"Cột {get_column_letter(index + 1)} không được đọc: tên lạ hoặc trùng. / "
                    f"Column {get_column_letter(index + 1)} is not read: its name is unknown or there twice.",
                    hint=True,
                )
            )  # fmt: skip
        elif key not in IGNORED:
            keys[index] = key
    return keys


def _plain(value: Any) -> str:
    """Return the text of a cell; whole numbers as people write them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return tidy(value)


def _row(number: int, values: list[str], keys: dict[int, str], found: Read) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for index, key in keys.items():
        column, text = ALL[key], values[index] if index < len(values) else ""
        try:
            row[key] = column.read(text) if text else column.empty
        except CellError as error:
            found.problems.append(Problem(number, column.title, str(error)))
    return row
