"""How a log line is written: whatever goes wrong, nobody's words stand in it.

The text of an exception may hold what a person wrote (a value that could not be read, a row that a database refused),
so a line says its type, where it was raised, and codes; only exceptions of our own, whose texts we write, are quoted.
"""

from __future__ import annotations

import logging
import os
import traceback
from types import TracebackType

OWN = ("actions", "bot", "desk", "knowledge", "nlu")
# Causes of causes: more of them explain nothing.
MAX_CHAIN = 5


def describe(error: BaseException) -> str:
    """Return an exception without anything that may come from outside: its type, and the code that it carries."""
    name = type(error).__qualname__
    if type(error).__module__.split(".")[0] in OWN:
        return f"{name}: {error}"
    return f"{name}{_code(error)}"


def _code(error: BaseException) -> str:
    inner = error.__cause__ or error
    status = getattr(getattr(error, "response", None), "status_code", None)
    code = status or getattr(inner, "sqlite_errorname", None) or getattr(inner, "sqlstate", None)
    if code is None and isinstance(error, OSError) and error.errno:
        code = os.strerror(error.errno)
    return f" ({code})" if code else ""


class Formatter(logging.Formatter):
    """Formats as logging does, exceptions (traced, or among a line's values) as `describe` says."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; the record itself stays as it is for other handlers."""
        if isinstance(record.args, tuple) and any(isinstance(each, BaseException) for each in record.args):
            record = logging.makeLogRecord(record.__dict__)
            record.args = tuple(describe(each) if isinstance(each, BaseException) else each for each in record.args)
        if isinstance(record.msg, BaseException):
            record = logging.makeLogRecord({**record.__dict__, "msg": describe(record.msg), "args": ()})
        # Another handler may have put its own text of the exception there.
        record.exc_text = None
        return super().format(record)

    def formatException(  # noqa: N802  (the name is logging's)
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Return where an exception and its causes were raised."""
        error, lines = ei[1], []
        while error is not None and len(lines) < MAX_CHAIN:
            where = "".join(traceback.format_tb(error.__traceback__))
            lines.append(f"{where}{describe(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n… raised from:\n".join(lines)
