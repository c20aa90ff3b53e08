"""What people asked in vain: unanswered questions of eight weeks, those that ask the same together, and what is done.

The groups are made by the search service, which holds the model, and kept in a file as numbers of turns: the words are
read from the turns when somebody looks, so that what was erased is gone from here too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bot.models import Outcome, Turn
from desk.knowledge_draft import TO_BE_WRITTEN
from desk.models import GapDecision
from desk.redaction import GONE, stripped
from knowledge.cases import should_match
from knowledge.client import SearchClient
from knowledge.models import Category, Department, Entry, Translation
from knowledge.staff import may_change
from knowledge.workflow import UNWRITTEN
from nlu.languages import SOURCE

# A trend compares the second half of this time with the first.
WINDOW = dt.timedelta(weeks=8)
EVERY = dt.timedelta(hours=6)
# The newest so many are grouped, which takes the service some seconds.
MOST, SECONDS = 1000, 120.0
UNANSWERED = (Outcome.NOT_KNOWN, Outcome.CLARIFY)
KINDS = GapDecision.Kind


@dataclass(frozen=True)
class Gap:
    """Questions that ask the same: the turns, middle one first, and the latest decision on any of them."""

    turns: list[Turn]
    decision: GapDecision | None

    @property
    def questions(self) -> list[tuple[str, str]]:
        """Return (language, question without what tells who asked), each once, the middle one first."""
        return list(dict.fromkeys((turn.language, stripped(turn.text)) for turn in self.turns))

    @property
    def languages(self) -> list[tuple[str, int]]:
        """Return how often it was asked in each language, the most frequent first."""
        return Counter(turn.language for turn in self.turns).most_common()

    def trend(self, now: dt.datetime) -> tuple[int, int]:
        """Return how often it was asked in the last four weeks, and in the four before."""
        late = sum(turn.created_at >= now - WINDOW / 2 for turn in self.turns)
        return late, len(self.turns) - late

    @property
    def again(self) -> int:
        """Return how often it was asked in vain after it was decided on."""
        return sum(turn.created_at > self.decision.at for turn in self.turns) if self.decision else 0

    @property
    def wishes(self) -> int:
        """Return how many wait to be told of an answer."""
        return sum(turn.wished_at is not None and turn.told_at is None for turn in self.turns)

    @property
    def disliked(self) -> list[tuple[str, int]]:
        """Return (entry, how often it was not what was asked), the most often first."""
        return Counter(turn.entry for turn in self.turns if turn.disliked_at).most_common()

    @property
    def open(self) -> bool:
        """Tell whether somebody should look: not dismissed, and not done (asked again since, it is open again)."""
        if self.decision is None:
            return True
        return self.decision.kind != KINDS.DISMISSED and self.again > 0


def unanswered(now: dt.datetime) -> Iterable[Turn]:
    """Return the newest questions that nothing answered; what went to a person, or what no machine heard, is none."""
    return _unanswered(now - WINDOW).order_by("-pk")[:MOST]


def _unanswered(since: dt.datetime) -> QuerySet[Turn]:
    in_vain = Q(outcome__in=UNANSWERED, ticket="", degraded=False) | Q(disliked_at__isnull=False)
    return Turn.objects.filter(in_vain, created_at__gte=since).exclude(text="")


def make(now: dt.datetime, file: Path) -> int:
    """Group what was asked in vain, write the file, and return how many groups there are; raises SearchUnavailable."""
    asked: dict[tuple[str, str], list[int]] = {}
    for turn in unanswered(now):
        if (text := stripped(turn.text)).strip(f"{GONE} "):
            asked.setdefault((text, turn.language), []).append(turn.pk)
    texts = list(asked)
    groups = _grouped(texts) if texts else []
    rows = [[pk for place in group for pk in asked[texts[place]]] for group in groups]
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(json.dumps({"made_at": now.isoformat(), "groups": rows}), encoding="utf-8")
    draft.replace(file)
    return len(rows)


@async_to_sync
async def _grouped(questions: list[tuple[str, str]]) -> list[list[int]]:
    client = SearchClient(settings.KNOWLEDGE_URL, SECONDS)
    try:
        return await client.group(questions)
    finally:
        await client.aclose()


def read(file: Path) -> tuple[dt.datetime | None, list[list[int]]]:
    """Return when the groups were made and their turns; (None, []) when there are none or none that can be read."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return dt.datetime.fromisoformat(data["made_at"]), [[int(pk) for pk in each] for each in data["groups"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None, []


def due(now: dt.datetime, file: Path) -> bool:
    """Tell whether it is time to group again: hours have gone by, and something was asked in vain since."""
    made_at, _ = read(file)
    if made_at is None:
        return True
    return now - made_at >= EVERY and _unanswered(made_at).exists()


def gaps(groups: list[list[int]]) -> list[Gap]:
    """Return the groups with what is still there of their turns, those asked most often first."""
    turns = Turn.objects.select_related("gap_decision__entry", "gap_decision__user").in_bulk(
        [pk for group in groups for pk in group]
    )
    found = []
    for group in groups:
        rows = [turns[pk] for pk in group if pk in turns]
        decisions = [row.gap_decision for row in rows if hasattr(row, "gap_decision")]
        if rows:
            found.append(Gap(rows, max(decisions, key=lambda each: each.at, default=None)))
    return sorted(found, key=lambda gap: -len(gap.turns))


def dismiss(gap: Gap, user: AbstractBaseUser, reason: str) -> None:
    """Put a group aside; raises ValidationError without a reason."""
    if not reason.strip():
        raise ValidationError("Hãy ghi lý do. / Give a reason.")
    _decide(gap, user, KINDS.DISMISSED, None, reason.strip()[:300])


def add_alternatives(gap: Gap, user: AbstractBaseUser, slug: str) -> int:
    """Keep the questions as cases of an entry and put them into its drafts as ways to ask; return how many were put in.

    Raises ValidationError when there is no such entry, or it is another department's.
    """
    entry = _entry(slug, user)
    with transaction.atomic():
        put = sum(should_match(text, language, entry, user)[1] for language, text in gap.questions)
        _decide(gap, user, KINDS.ALTERNATIVE, entry)
    return put


def add_alias(gap: Gap, user: AbstractBaseUser, slug: str, alias: str) -> None:
    """Put a name that people use into an entry's draft; raises ValidationError as `add_alternatives` does."""
    entry, alias = _entry(slug, user), " ".join(alias.split())
    if not alias:
        raise ValidationError("Hãy ghi tên gọi. / Write the name.")
    with transaction.atomic():
        draft = Entry.objects.select_for_update().get(pk=entry.pk).get_latest_revision_as_object()
        draft.aliases = list(dict.fromkeys([*draft.aliases, alias]))
        draft.save_revision(user=user, log_action=True)
        _decide(gap, user, KINDS.ALIAS, entry, alias[:300])


def draft_entry(gap: Gap, user: AbstractBaseUser, category: str, department: Department) -> Entry:
    """Make an unpublished entry with the questions filled in, a text a language; raises ValidationError."""
    if category not in Category.values:
        raise ValidationError(f"Không có chủ đề “{category}”. / There is no topic “{category}”.")
    entry = Entry(
        slug=f"asked-{gap.turns[0].pk}", category=category, department=department, live=False,
        verified_on=timezone.localdate(), has_unpublished_changes=True,
    )  # fmt: skip
    if not may_change(user, entry):
        raise ValidationError("Bạn viết cho cơ quan của mình. / You write for your own department.")
    if Entry.objects.filter(slug=entry.slug).exists():
        raise ValidationError("Đã có bản nháp của nhóm này. / There is a draft of these questions already.")
    ways: dict[str, list[str]] = {SOURCE: []}
    for language, text in gap.questions:
        ways.setdefault(language, []).append(text)
    with transaction.atomic():
        entry.save()
        entry.save_revision(user=user, log_action=True)
        for language, texts in ways.items():
            first, *others = texts or [TO_BE_WRITTEN[language]]
            row = Translation(
                entry=entry, language=language, question=first[:300], other_questions="\n".join(others[:20]),
                answer=UNWRITTEN, live=False, has_unpublished_changes=True,
                source_language="" if language == SOURCE else SOURCE,
                source_version=None if language == SOURCE else 1,
            )  # fmt: skip
            row.save()
            row.save_revision(user=user, log_action=True)
        _decide(gap, user, KINDS.DRAFTED, entry)
    return entry


def _entry(slug: str, user: AbstractBaseUser) -> Entry:
    entry = Entry.objects.filter(slug=slug.strip()).first()
    if entry is None:
        raise ValidationError(f"Không có mục “{slug}”. / There is no entry “{slug}”.")
    if not may_change(user, entry):
        raise ValidationError("Mục này thuộc cơ quan khác. / This entry is another department's.")
    return entry


def _decide(gap: Gap, user: AbstractBaseUser, kind: str, entry: Entry | None, reason: str = "") -> None:
    for turn in gap.turns:
        GapDecision.objects.update_or_create(
            turn=turn, defaults={"kind": kind, "reason": reason, "entry": entry, "user": user}
        )
