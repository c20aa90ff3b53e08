"""What a file says of an entry's texts, beside the texts as their editors last left them."""

from __future__ import annotations

from typing import Any

from knowledge.exchange.columns import ALL, ANSWER, LANGUAGE, QUESTION, TRANSLATED, tidy
from knowledge.exchange.entry_changes import Change, locked, working_copy
from knowledge.exchange.errors import Problem
from knowledge.models import Entry, Significance, Translation
from knowledge.quality.rules import compare
from knowledge.workflow import NOT_YOURS
from nlu.languages import SOURCE

# What a changed text differs in, as far as the file speaks of it.
_FIELDS = ("question", "other_questions", "answer", "source_language")


def text_change(
    entry: Entry | None, draft: Entry, rows: dict[str, tuple[int, dict[str, Any]]], user: Any, problems: list[Problem]
) -> list[Change]:
    """Return the changes to an entry's texts, originals first: a translation notes the version of its original."""
    there = {text.language: text for text in entry.translations.all()} if entry else {}
    changes, said = [], {}
    for language, (number, row) in rows.items():
        text = there.get(language)
        empty = [column for column in (QUESTION, ANSWER) if column.key in row and not row[column.key]]
        for column in empty:
            problems.append(
                Problem(
                    number, column.title,
                    "Trống; điền vào, hoặc bỏ trống cả câu hỏi và câu trả lời. / "
                    "Empty; fill it in, or leave question and answer both empty.",
                )
            )  # fmt: skip
        if empty or "question" not in row or "answer" not in row:
            continue
        copy = working_copy(text) if text else Translation(language=language, live=False, has_unpublished_changes=True)
        copy.entry = draft
        before = _values(copy) | {"version": copy.source_version}
        answer = copy.answer
        _set(copy, row, text, there, {*rows, *there})
        after = _values(copy) | {"version": copy.source_version}
        said[language] = (copy, number)
        if after != before:
            fields = [ALL[key].title for key in _FIELDS if after[key] != before[key]]
            change = Change(number, copy, text is None, fields, "" if text is None else answer)
            changes.append(change)
            _objections(change, text, user, there.keys() | rows.keys(), problems)
    _numbers(changes, said, there, problems)
    return sorted(changes, key=lambda change: bool(change.draft.source_language))


def _values(text: Translation) -> dict[str, Any]:
    return {key: tidy(getattr(text, key)) for key in _FIELDS} | {"other_questions": text.questions[1:]}


def _set(
    copy: Translation, row: dict[str, Any], text: Translation | None, there: dict[str, Translation], known: set[str]
) -> None:
    """Put what a row says into a text."""
    source = copy.source_language
    copy.question, copy.answer = row["question"], row["answer"]
    if "other_questions" in row:
        copy.other_questions = "\n".join(row["other_questions"])
    if "source_language" in row:
        copy.source_language = row["source_language"]
    elif text is None and copy.language != SOURCE and SOURCE in known:
        copy.source_language = SOURCE
    if not copy.source_language:
        copy.source_version = None
    elif row.get("source_version"):
        copy.source_version = row["source_version"]
    elif text is None or copy.source_language != source:
        original = there.get(copy.source_language)
        copy.source_version = original.version if original else 1
    if text is not None and not text.has_unpublished_changes:
        copy.significance = Significance.MINOR


def _objections(
    change: Change, text: Translation | None, user: Any, languages: set[str], problems: list[Problem]
) -> None:
    copy: Any = change.draft
    source = copy.source_language
    if source and (source == copy.language or source not in languages):
        problems.append(
            Problem(
                change.row, TRANSLATED.title,
                f"Mục chưa có bản “{source}” để dịch từ đó; sửa hoặc để trống. / "
                f"The entry has no text in “{source}” to be translated from; correct it or leave it empty.",
            )
        )  # fmt: skip
    refused = locked(text, user, change.row, LANGUAGE.title) if text else None
    if not user.has_perm("knowledge.change_translation" if text else "knowledge.add_translation"):
        refused = Problem(change.row, LANGUAGE.title, NOT_YOURS)
    if refused:
        problems.append(refused)
    if text is not None and text.has_unpublished_changes:
        problems.append(
            Problem(
                change.row, ANSWER.title,
                "Đã có bản nháp; bản này đứng sau, bản trước vẫn ở Lịch sử. / "
                "There is a draft already; this one follows it, the earlier one stays in its History.", hint=True,
            )
        )  # fmt: skip


def _numbers(
    changes: list[Change], said: dict[str, Any], there: dict[str, Translation], problems: list[Problem]
) -> None:
    """Hint at numbers and telephone numbers that differ from the original's."""
    for change in changes:
        copy: Any = change.draft
        original = said[copy.source_language][0] if copy.source_language in said else there.get(copy.source_language)
        if original is None:
            continue
        for _, detail in compare(original.answer, original.language, copy.answer, copy.language):
            problems.append(
                Problem(
                    change.row,
                    ANSWER.title,
                    f"Số khác bản gốc: {detail}; hãy xem lại. / "
                    f"Numbers differ from the original: {detail}; look again.",
                    hint=True,
                )
            )
