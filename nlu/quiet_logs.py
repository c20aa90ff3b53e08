"""Keeps people's words out of Rasa's log: 3.6 writes the message beside a failure, and the failing code's variables.

Used by nlu/server.py alone, before Rasa sets its logging up. What is left says what failed, with which type of
exception, and where.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

# Values of a log event that are counts, names and places; every other value of Rasa's events may be somebody's words.
KEPT = frozenset({"event", "event_info", "level", "logger", "timestamp", "filename", "lineno", "file", "path"})


def install() -> None:
    """Apply it to structlog's events and to every formatter of the standard library's logging."""
    from rasa.utils import log_utils

    # The first of the processors that Rasa puts together, looked up by this name when it does.
    log_utils._anonymizer = without_words
    logging.Formatter.formatException = lambda _, error: describe(error[1])


def without_words(_: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return a log event without values, an exception as its type and place."""
    error = event.get("exc_info")
    if error is True or (error is None and method == "exception"):
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    kept = {key: value for key, value in event.items() if key in KEPT}
    if isinstance(error, BaseException):
        kept["exception"] = describe(error)
    # Said, so that structlog does not add the exception itself.
    kept["exc_info"] = False
    return kept


def describe(error: BaseException | None) -> str:
    """Return where an exception was raised and its type: its text may quote what a person wrote."""
    if error is None:
        return ""
    return f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__qualname__}"
