"""Reads labelled questions and corpora: JSON lines, checked whole before anything is done with them.

A corpus line is {"id", "lang", "title"?, "text"}, a question {"id", "lang", "text", "relevant": [ids]}; an empty
`relevant` says that nothing answers it. Whatever is wrong is told at once, for every line of every file.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import langcodes

from knowledge.errors import KnowledgeError
from nlu.text import MAX_LENGTH, clean

# Ten pages. What is longer is refused, not cut: a model reads the first page or two, so that the measure of a cut text
# would be of something else than the file.
LONGEST_TEXT = 20_000
PROBLEMS_SHOWN = 50
CORPUS_FIELDS = ("id", "lang", "text")
QUESTION_FIELDS = ("id", "lang", "text", "relevant")
# Tags that say "none", "several", "unknown" or "not coded" name no language.
_NO_LANGUAGE = {None, "und", "mul", "mis", "zxx"}
Row = dict[str, Any]


class QuestionError(KnowledgeError):
    """Labelled questions or a corpus that are not in form; lists every problem with file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:PROBLEMS_SHOWN])
        if len(problems) > PROBLEMS_SHOWN:
            shown.append(f"… and {len(problems) - PROBLEMS_SHOWN} problems more")
        super().__init__("\n".join(shown))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Question:
    """A labelled question; an empty `relevant` says that nothing answers it."""

    id: str
    lang: str
    text: str
    relevant: tuple[str, ...]
    split: str = "test"


@dataclass(frozen=True)
class Text:
    """A text of a corpus; `text` begins with the title, if there is one."""

    id: str
    lang: str
    title: str
    text: str


def read_lines(file: Path, required: Sequence[str], longest: int = LONGEST_TEXT) -> list[tuple[int, Row]]:
    """Return the objects of a JSON-lines file with their line numbers; raises QuestionError.

    Ids are texts (a number becomes one), languages plain codes (`zh-Hant` becomes `zh`); other fields are as they are.
    """
    reader = _Reader()
    rows = reader.rows(file, required, longest)
    reader.finish()
    return rows


def read_questions(files: Iterable[Path]) -> list[Question]:
    """Return the labelled questions of some files, cleaned as the desk cleans a message; raises QuestionError."""
    reader = _Reader()
    rows = [row for file in files for _, row in reader.rows(file, QUESTION_FIELDS, MAX_LENGTH)]
    reader.finish()
    return [_question(row) for row in rows]


def read_evaluation(corpus: Path, queries: Path) -> tuple[list[Text], list[Question], list[int]]:
    """Return a corpus, the questions asked of it, and the lines of questions that name texts of other corpora as well.

    Labels are reduced to what is in the corpus: one set of questions may serve several corpora. A question whose
    labels are all elsewhere is a mistake. Raises QuestionError with the problems of both files.
    """
    texts, asked = _Reader(), _Reader()
    text_rows = texts.rows(corpus, CORPUS_FIELDS, LONGEST_TEXT)
    query_rows = asked.rows(queries, QUESTION_FIELDS, MAX_LENGTH)
    questions, absent = [], []
    for number, row in query_rows:
        there = [name for name in row["relevant"] if name in texts.places]
        # What seems to be missing may stand in a line that could not be read.
        if row["relevant"] and not there and not texts.unnamed:
            names = ", ".join(map(_show, row["relevant"][:5]))
            asked.problems.append(f"{queries}:{number}: relevant {names} not in {corpus} ([]: nothing answers it)")
        if there != list(row["relevant"]):
            absent.append(number)
        questions.append(_question(row | {"relevant": there}))
    if problems := texts.problems + asked.problems:
        raise QuestionError(problems)
    return [_text(row) for _, row in text_rows], questions, absent


class _Reader:
    """Reads files whose ids must differ; `problems` gathers what is wrong, `places` where each id stands.

    `unnamed` tells whether there is a line (or a file) whose id could not be read.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.places: dict[str, str] = {}
        self.unnamed = False

    def finish(self) -> None:
        """Raise QuestionError if anything was wrong."""
        if self.problems:
            raise QuestionError(self.problems)

    def rows(self, file: Path, required: Sequence[str], longest: int) -> list[tuple[int, Row]]:
        """Return a file's good lines with their numbers."""
        try:
            content = file.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            self.unnamed = True
            why = getattr(error, "strerror", None) or error
            self.problems.append(f"{file}: cannot be read ({why}). Give a UTF-8 file of JSON lines.")
            return []
        # Not `splitlines`: U+2028, U+0085 and others may stand in a JSON text as they are.
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        if not any(line.strip() for line in lines):
            self.unnamed = True
            self.problems.append(f"{file}: is empty. Give one JSON object a line, with {', '.join(required)}.")
        rows = []
        for number, line in enumerate(lines, 1):
            if line.strip():
                row, wrong = self._row(f"{file}:{number}", line, required, longest)
                self.problems += [f"{file}:{number}: {each}" for each in wrong]
                if not wrong:
                    rows.append((number, row))
        return rows

    def _row(self, place: str, line: bytes, required: Sequence[str], longest: int) -> tuple[Row, list[str]]:
        row, wrong = _parse(line)
        name = _identifier(row.get("id"))
        if name is None:
            self.unnamed = True
        elif name in self.places:
            wrong.append(f"id {_show(name)} stands in {self.places[name]} already")
        else:
            self.places[name] = place
        if missing := [] if not row else [key for key in dict.fromkeys((*CORPUS_FIELDS, *required)) if key not in row]:
            wrong.append(f"{', '.join(missing)} missing")
        if not row or missing:
            return row, wrong
        wrong_texts = [each for key in ("id", "title", "text", "split") for each in _wrong_text(key, row.get(key))]
        wrong += wrong_texts or _wrong_length(row, longest)
        language = language_of(row["lang"])
        if language is None:
            wrong.append(f"lang {_show(row['lang'])} is no language; give a code such as vi, en, th")
        if "relevant" in row:
            relevant, wrong_relevant = _relevant(row["relevant"])
            row, wrong = row | {"relevant": relevant}, wrong + wrong_relevant
        return row | {"id": name, "lang": language}, wrong


def _parse(line: bytes) -> tuple[Row, list[str]]:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return {}, [f"not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8"]
    except RecursionError:
        return {}, ["not a JSON object that can be read (nested too deep); one flat object a line"]
    except json.JSONDecodeError as error:
        return {}, [f"not a JSON object ({error.msg}, at character {error.colno}); one object a line"]
    except ValueError as error:  # a number of thousands of digits
        return {}, [f"not a JSON object ({error}); one object a line"]
    if not isinstance(row, dict) or not row:
        return {}, [f"not a JSON object with fields ({_show(row)}); one object a line"]
    return row, []


def _identifier(value: object) -> str | None:
    """Return an id as text, None for what is none; a number counts as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def _relevant(value: object) -> tuple[tuple[str, ...], list[str]]:
    names = [_identifier(each) for each in value] if isinstance(value, list) else [None]
    if None in names:
        return (), [f"relevant {_show(value)} is not a list of ids; [] says that nothing answers the question"]
    return tuple(dict.fromkeys(name for name in names if name is not None)), []


def _wrong_text(key: str, value: object) -> list[str]:
    if key == "id" and _identifier(value) is None:
        return [f"id {_show(value)} is neither a text nor a whole number"]
    if key == "id":
        value = _identifier(value)
    if value is None and key in ("title", "split"):
        return []
    if not isinstance(value, str):
        return [f"{key} {_show(value)} is not a text"]
    if "\0" in value:
        return [f"{key} holds a NUL character (U+0000)"]
    if any("\ud800" <= character <= "\udfff" for character in value):
        return [f"{key} holds half a character (a lone surrogate, U+D800 to U+DFFF)"]
    return []


def _wrong_length(row: Row, longest: int) -> list[str]:
    length = len(row.get("title") or "") + len(row["text"])
    if length > longest:
        return [f"text of {_show(row['id'])} has {length:,} characters, {longest:,} at most; split or shorten it"]
    return [f"text of {_show(row['id'])} holds no letter or digit"] if clean(row["text"], longest).empty else []


@lru_cache(maxsize=1024)
def _base(tag: str) -> str | None:
    if not langcodes.tag_is_valid(tag):
        return None
    base = langcodes.Language.get(tag).language
    return None if base in _NO_LANGUAGE else base


def language_of(tag: object) -> str | None:
    """Return the language that a tag names, in its shortest code (`zh-Hant` zh, `vie` vi); None for none."""
    return _base(tag) if isinstance(tag, str) else None


def _question(row: Row) -> Question:
    split = row.get("split") or "test"
    return Question(row["id"], row["lang"], clean(row["text"]).text, tuple(row["relevant"]), split)


def _text(row: Row) -> Text:
    title = row.get("title") or ""
    # Composing can lengthen a text; it was measured before.
    return Text(row["id"], row["lang"], title, clean(f"{title} {row['text']}", 2 * LONGEST_TEXT).text)


def _show(value: object) -> str:
    """Return a value for a message: short, and without anything that a terminal cannot print."""
    return reprlib.repr(value)
