"""Practice: an entry of one's own to learn on, which never reaches the public.

It is a copy of a real one with things left to do. It is edited, submitted, compared and translated like any other;
nobody is asked to check it, it is neither searched nor answered, and no list of real work shows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from knowledge.importer import as_published
from knowledge.models import Entry, Member, Sensitivity, Source, Translation
from nlu.languages import SOURCE

# Left out of the copy, for the learner to write; and left as it was before the original's last major edit.
TO_WRITE, TO_UPDATE = "ko", "en"
# What nobody has touched for so long was left, not kept.
KEPT = dt.timedelta(days=30)


@dataclass(frozen=True)
class Exercise:
    """Something to do: its heading, how, whether it is done, and the text it is done on (None: still to be added)."""

    vi: str
    en: str
    done: bool
    text: Translation | None
    language: str


def mine(user: AbstractBaseUser) -> Entry | None:
    """Return the entry that a colleague practises on, if there is one."""
    return Entry.objects.filter(slug=f"practice-{user.pk}", sensitivity=Sensitivity.PRACTICE).first()


def begin(user: AbstractBaseUser) -> Entry:
    """Make a fresh entry to practise on, in place of the one before; raises ValidationError where there is no model."""
    model = Entry.objects.answerable().filter(translations__language=SOURCE, translations__live=True)
    model = model.order_by("-priority", "slug").first()
    if model is None:
        raise ValidationError("Chưa có mục nào để chép ra tập. / There is no entry yet to make a copy of.")
    texts, sources = list(model.translations.filter(live=True)), list(model.sources.all())
    home = Member.objects.filter(user=user).select_related("department").first()
    now = timezone.now()
    with transaction.atomic():
        end(user)
        entry = Entry(
            slug=f"practice-{user.pk}", category=model.category, sensitivity=Sensitivity.PRACTICE,
            department=home.department if home else model.department, verified_on=model.verified_on,
            place_name=model.place_name, address=model.address, phone=model.phone, web=model.web,
            live=True, first_published_at=now, last_published_at=now,
        )  # fmt: skip
        entry.sources = [Source(title=each.title, url=each.url, seen_on=each.seen_on) for each in sources]
        entry.save()
        as_published(entry, user)
        for text in texts:
            if text.language != TO_WRITE:
                _copy(entry, text, user, now)
    return entry


def _copy(entry: Entry, text: Translation, user: AbstractBaseUser, now: dt.datetime) -> None:
    original = text.language == SOURCE
    row = Translation(
        entry=entry, language=text.language, question=text.question, other_questions=text.other_questions,
        answer=text.answer, source_language="" if original else SOURCE,
        source_version=None if original else 0 if text.language == TO_UPDATE else 1,
        live=True, first_published_at=now, last_published_at=now,
    )  # fmt: skip
    row.save()
    as_published(row, user)


def end(user: AbstractBaseUser) -> bool:
    """Delete what a colleague practised on; return whether there was anything."""
    entry = mine(user)
    if entry is not None:
        entry.delete()
    return entry is not None


def tidy(now: dt.datetime) -> int:
    """Delete what was left for `KEPT`; return how many entries that were."""
    left = Entry.objects.filter(sensitivity=Sensitivity.PRACTICE, last_published_at__lt=now - KEPT)
    left = left.exclude(translations__updated_at__gte=now - KEPT)
    gone = 0
    for entry in left:
        entry.delete()
        gone += 1
    return gone


def exercises(entry: Entry) -> list[Exercise]:
    """Return what there is to do on a practice entry, and what has been done."""
    texts = {text.language: text for text in entry.translations.all()}
    rows: tuple[tuple[str, str, str, Callable[[Translation], bool]], ...] = (
        (
            SOURCE, "Sửa câu trả lời tiếng Việt rồi bấm Lưu bản nháp.",
            "Change the Vietnamese answer and save a draft.",
            lambda text: text.has_unpublished_changes or text.version > 1,
        ),
        (
            SOURCE, "Mở mũi tên cạnh nút Lưu và bấm Gửi duyệt: ở đây không ai phải duyệt, bản mới dùng được ngay.",
            "Open the arrow beside Save and submit it: nobody has to check it here, the new text is live at once.",
            lambda text: text.version > 1,
        ),
        (
            TO_WRITE, "Thêm bản dịch tiếng Hàn còn thiếu; bản gốc đứng bên cạnh.",
            "Add the Korean text that is missing; the original stands beside it.",
            lambda text: bool(text.answer),
        ),
        (
            TO_UPDATE, "Bản tiếng Anh đã cũ: so với bản gốc, sửa, đánh dấu khớp và xuất bản hoặc gửi duyệt.",
            "The English text is out of date: compare it, change it, mark it as matching, then publish or submit it.",
            lambda text: not text.out_of_date(texts.values()),
        ),
    )  # fmt: skip
    return [
        Exercise(vi, en, text is not None and done(text), text, language)
        for language, vi, en, done in rows
        for text in [texts.get(language)]
    ]
