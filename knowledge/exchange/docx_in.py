"""Reads a Word document: headings are questions, the text under them answers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from zipfile import BadZipFile

from docx import Document
from docx.document import Document as Docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import XMLSyntaxError

from knowledge.exchange.columns import tidy
from knowledge.exchange.errors import FileError
from knowledge.exchange.sections import Section, rows
from knowledge.exchange.table import Read

_HEADING = re.compile(r"heading (\d)")


def read_docx(data: bytes) -> Read:
    """Return a row for every heading with text under it; raises FileError for what is no document or has no heading."""
    try:
        document = Document(io.BytesIO(data))
    except (PackageNotFoundError, BadZipFile, KeyError, ValueError, XMLSyntaxError) as error:
        raise FileError(
            "Không mở được tệp DOCX này; mở bằng Word hoặc LibreOffice rồi lưu lại dạng .docx. / "
            "This DOCX file cannot be opened; open it in Word or LibreOffice and save it as .docx again."
        ) from error
    return rows(_sections(document), [])


def _sections(document: Docx) -> Iterator[Section]:
    """Yield the sections; what stands before the first heading (a title, a letterhead) belongs to none."""
    section: Section | None = None
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            texts = [_joined(row) for row in part.rows] if section else []
        elif level := _level(part):
            if section:
                yield section
            section, texts = Section(level, tidy(part.text)), []
        else:
            texts = [tidy(part.text)]
        if section:
            section.paragraphs += filter(None, texts)
    if section:
        yield section


def _level(paragraph: Paragraph) -> int:
    """Return the level of a heading by its style or the one that is based on, 0 for other paragraphs and empty ones."""
    style = paragraph.style if tidy(paragraph.text) else None
    while style is not None:
        if found := _HEADING.fullmatch((style.name or "").lower()):
            return int(found[1])
        style = style.base_style
    return 0


def _joined(row: object) -> str:
    texts = [tidy(cell.text).replace("\n", " ") for cell in row.cells]
    # Joined cells are there once for each column.
    return ": ".join(dict.fromkeys(filter(None, texts)))
