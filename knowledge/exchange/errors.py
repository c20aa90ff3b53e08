"""What can be wrong with a file or a cell; each text says what to do, in Vietnamese and English."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.errors import KnowledgeError


class CellError(KnowledgeError):
    """A cell that cannot be read."""


class FileError(KnowledgeError):
    """A file that cannot be read at all."""


@dataclass(frozen=True)
class Problem:
    """Something wrong in a row: its number, its column's name, what to do. A `hint` stops nothing."""

    row: int
    column: str
    text: str
    hint: bool = False
