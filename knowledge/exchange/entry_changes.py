"""What a file says of an entry itself, beside the entry as its editors last left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from knowledge.exchange.columns import ALL
from knowledge.exchange.errors import Problem
from knowledge.models import Department, Entry, Source, Translation
from knowledge.staff import may_change
from knowledge.workflow import NOT_YOURS
from nlu.text import fold

SOURCE_FIELDS = ("title", "url", "seen_on")


@dataclass
class Change:
    """A draft to be made: the entry or text as it would be, and the names of what is new in it."""

    row: int
    draft: Entry | Translation
    new: bool
    fields: list[str]
    # What readers are told now, or the draft says, for a text that is there.
    before: str = ""

    @property
    def language(self) -> str:
        """Return the language of a text; empty for an entry."""
        return getattr(self.draft, "language", "")


def offices() -> dict[str, Department]:
    """Return the departments by everything they may be called in a file."""
    return {fold(name): each for each in Department.objects.all() for name in (each.slug, each.name_vi, each.name_en)}


def working_copy(row: Any) -> Any:
    """Return what an editor would find in the form: the last draft, else the row itself."""
    return row.get_latest_revision_as_object() if row.has_unpublished_changes else row


def locked(row: Entry | Translation, user: Any, number: int, column: str) -> Problem | None:
    """Return why a colleague may not change what is there now: somebody locked it, or it waits at a step."""
    lock = row.get_lock()
    if lock is not None and lock.for_user(user):
        return Problem(
            number, column,
            "Đang khóa hoặc chờ duyệt; nhập lại sau khi xong. / "
            "Locked or waiting for approval; import it again afterwards.",
        )  # fmt: skip
    return None


def entry_change(
    entry: Entry | None, slug: str, values: dict[str, Any], number: int, user: Any,
    known: dict[str, Department], problems: list[Problem],
) -> tuple[Change | None, Entry | None]:  # fmt: skip
    """Return the change to an entry, None where nothing is, and the entry as it would be; None when it cannot be."""
    department, column = values.pop("department", None), ALL["department"].title
    if department:
        office = known.get(fold(department))
        if office is None:
            names = ", ".join(sorted({each.slug for each in known.values()}))
            problems.append(
                Problem(
                    number, column,
                    f"Không có cơ quan “{department}”; chọn: {names}. / No department “{department}”; choose: {names}.",
                )
            )  # fmt: skip
            return None, None
        values["department"] = office
    if entry is None:
        values = {"verified_on": timezone.localdate(), **values}
        draft = Entry(slug=slug, live=False, has_unpublished_changes=True)
    else:
        draft = working_copy(entry)
    sources = values.pop("sources", None)
    fields = [ALL[key].title for key, value in values.items() if getattr(draft, key, None) != value]
    for key, value in values.items():
        setattr(draft, key, value)
    if sources is not None and sources != _sources(draft):
        draft.sources = [Source(sort_order=place, **each) for place, each in enumerate(sources)]
        fields.append(ALL["sources"].title)
    if entry is not None and not fields:
        return None, draft
    return _checked(Change(number, draft, entry is None, fields), entry, user, problems)


def _sources(draft: Entry) -> list[dict[str, Any]]:
    return [{key: getattr(each, key) for key in SOURCE_FIELDS} for each in draft.sources.all()]


def _checked(
    change: Change, entry: Entry | None, user: Any, problems: list[Problem]
) -> tuple[Change | None, Entry | None]:
    draft: Any = change.draft
    column = ALL["slug"].title
    right = "knowledge.add_entry" if entry is None else "knowledge.change_entry"
    refused = locked(entry, user, change.row, column) if entry else None
    if not user.has_perm(right) or not may_change(user, draft):
        refused = Problem(change.row, column, NOT_YOURS)
    if refused:
        problems.append(refused)
    try:
        draft.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        for key, texts in error.message_dict.items():
            title = ALL[key].title if key in ALL else key
            problems += [Problem(change.row, title, text) for text in texts]
    if not draft.sources.all():
        problems.append(
            Problem(
                change.row, ALL["sources"].title,
                "Chưa có nguồn; thêm trước khi xuất bản. / No source yet; add one before it is published.", hint=True,
            )
        )  # fmt: skip
    return change, draft
