"""What a file would change: its rows beside what is there, every objection with its row. Nothing is stored here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from anyascii import anyascii
from django.utils.text import slugify

from knowledge.exchange.columns import ALL, LANGUAGE, NEEDED, QUESTION, SLUG
from knowledge.exchange.entry_changes import Change, entry_change, offices
from knowledge.exchange.errors import Problem
from knowledge.exchange.table import Read
from knowledge.exchange.text_changes import text_change
from knowledge.models import Entry, Translation
from knowledge.staff import may_change
from knowledge.workflow import NOT_YOURS
from nlu.text import fold

MAX_SLUG = 60


@dataclass(frozen=True)
class Defaults:
    """What holds where a file says nothing: the language, and category and department of new entries."""

    language: str
    category: str
    department: str


@dataclass
class Proposal:
    """What would become of one entry: the drafts to be made, or why none can be."""

    slug: str
    rows: list[int]
    new: bool
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        """Tell whether something must be mended first."""
        return any(not problem.hint for problem in self.problems)

    @property
    def ready(self) -> bool:
        """Tell whether there is a draft to be made, and nothing against it."""
        return bool(self.changes) and not self.blocked


@dataclass
class Plan:
    """All proposals of a file, and the problems that belong to none."""

    proposals: list[Proposal]
    problems: list[Problem]

    @property
    def ready(self) -> list[Proposal]:
        """Return the proposals that can become drafts."""
        return [proposal for proposal in self.proposals if proposal.ready]


Numbered = tuple[int, dict[str, Any]]


def make_plan(read: Read, user: Any, defaults: Defaults) -> Plan:
    """Return what a file that was read would change, were this colleague to confirm it."""
    by_row: dict[int, list[Problem]] = defaultdict(list)
    for problem in read.problems:
        by_row[problem.row].append(problem)
    groups, found_by_question = _groups(read, defaults)
    there = _entries(groups)
    known = offices()
    proposals = []
    for slug, rows in groups.items():
        entry = there.get(slug)
        proposal = Proposal(slug, [number for number, _ in rows], new=entry is None)
        for number in proposal.rows:
            proposal.problems += by_row.pop(number, [])
        _fill(proposal, entry, rows, user, defaults, known, whole=slug not in found_by_question)
        proposals.append(proposal)
    return Plan(proposals, [problem for problems in by_row.values() for problem in problems])


def _entries(slugs: Any) -> dict[str, Entry]:
    entries = Entry.objects.real().select_related("department", "latest_revision").prefetch_related("translations")
    names = [*slugs]
    return {
        entry.slug: entry
        for start in range(0, len(names), 500)
        for entry in entries.filter(slug__in=names[start : start + 500])
    }


def _groups(read: Read, defaults: Defaults) -> tuple[dict[str, list[Numbered]], set[str]]:
    """Return the rows by entry, and which entries were found by their question; new ones get a name of their own."""
    groups: dict[str, list[Numbered]] = defaultdict(list)
    by_question: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    if not all(row.get("slug") for _, row in read.rows):
        texts = Translation.objects.values_list("language", "question", "entry__slug")
        by_question = {(language, fold(question)): slug for language, question, slug in texts}
        taken = set(Entry.objects.values_list("slug", flat=True)) | {row.get("slug") for _, row in read.rows}
    found: set[str] = set()
    bad = {problem.row for problem in read.problems if problem.column == SLUG.title}
    for number, row in read.rows:
        slug = row.get("slug") or ""
        if not slug and number not in bad:
            language = row.get("language") or defaults.language
            slug = by_question.get((language, fold(row.get("question") or "")), "")
            if slug:
                found.add(slug)
        groups[slug or _name(row, number, taken)].append((number, row))
    return groups, found


def _name(row: dict[str, Any], number: int, taken: set[str]) -> str:
    """Return a name for a new entry from its question, one that nobody has."""
    plain = slugify(anyascii(row.get("question") or ""))
    if len(plain) > MAX_SLUG:
        plain = plain[:MAX_SLUG].rpartition("-")[0] or plain[:MAX_SLUG]
    plain = plain or f"row-{number}"
    slug = next(each for each in (plain, *(f"{plain}-{more}" for more in range(2, 100_000))) if each not in taken)
    taken.add(slug)
    return slug


def _fill(
    proposal: Proposal, entry: Entry | None, rows: list[Numbered], user: Any, defaults: Defaults,
    known: dict[str, Any], *, whole: bool,
) -> None:  # fmt: skip
    """Find the drafts that the rows of one entry ask for, the entry's own first."""
    problems, first = proposal.problems, proposal.rows[0]
    # Asked before the rows say which department it belongs to.
    mine = entry is None or may_change(user, entry)
    values = _common(rows, problems)
    if not whole and values:
        values = {}
        problems.append(
            Problem(
                first, QUESTION.title,
                "Câu hỏi này đã có; chỉ đề nghị sửa câu trả lời, phần khác của mục giữ nguyên. / "
                "This question is there already; only its text is proposed, the rest of the entry stays.", hint=True,
            )
        )  # fmt: skip
    if entry is None:
        values = {"category": defaults.category, "department": defaults.department, **values}
    changed, draft = entry_change(entry, proposal.slug, values, first, user, known, problems)
    if changed:
        proposal.changes.append(changed)
    if draft is None:
        return
    texts: dict[str, Numbered] = {}
    for number, row in rows:
        language = row.get("language") or defaults.language
        if not any(row.get(key) for key in ("question", "answer", "other_questions")):
            continue  # not translated yet, or an entry without texts
        if language in texts:
            problems.append(
                Problem(
                    number, LANGUAGE.title,
                    f"Hàng {texts[language][0]} đã có ngôn ngữ này của mục; giữ một hàng. / "
                    f"Row {texts[language][0]} has this entry in this language already; keep one of them.",
                )
            )  # fmt: skip
            continue
        texts[language] = (number, row)
    proposal.changes += text_change(entry, draft, texts, user, problems)
    if proposal.changes and not mine:
        problems.append(Problem(first, SLUG.title, NOT_YOURS))


def _common(rows: list[Numbered], problems: list[Problem]) -> dict[str, Any]:
    """Return what the rows say of the entry itself: they agree, or leave it empty."""
    values: dict[str, Any] = {}
    said: dict[str, int] = {}
    for number, row in rows:
        for key, value in row.items():
            column = ALL[key]
            if column.of_text or key == "slug":
                continue
            if key in said and value != column.empty and value != values[key]:
                problems.append(
                    Problem(
                        number, column.title,
                        f"Khác với hàng {said[key]} của cùng mục; ghi giống nhau hoặc để trống. / "
                        f"Differs from row {said[key]} of the same entry; write the same or leave it empty.",
                    )
                )  # fmt: skip
            elif value != column.empty:
                values[key], said[key] = value, number
            elif key not in NEEDED:
                values.setdefault(key, value)
    return values
