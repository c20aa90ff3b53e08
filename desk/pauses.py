"""The switch: the whole bot, one topic or one entry stops answering at once, with a reason that askers are told.

An entry is withdrawn (taken off the air in every language); it comes back by being published again. What is said while
something is paused: `bot/pauses.py`.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from wagtail.actions.unpublish import UnpublishAction
from wagtail.log_actions import log

from desk import audit
from desk.models import Pause
from knowledge.models import Category, Entry

PERMISSION = "desk.pause_answers"


def active() -> dict[str, Pause]:
    """Return what is paused now: {topic, or "" for the whole bot: its pause}."""
    return {pause.category: pause for pause in Pause.objects.filter(ended_at=None)}


def begin(category: str, reason: str, note: str, user: AbstractBaseUser) -> Pause:
    """Stop answering, on a topic or ("") altogether; it holds for every message not yet answered.

    Raises ValidationError when the topic or the reason does not exist, the note is missing, or it is paused already.
    """
    pause = Pause(category=category, reason=reason, note=note.strip(), began_by=user)
    if category and category not in Category.values:
        raise ValidationError(f"Không có chủ đề “{category}”. / There is no topic “{category}”.")
    if not pause.note:
        raise ValidationError("Hãy ghi lý do cho đồng nghiệp. / Tell colleagues why.")
    pause.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            pause.save()
            audit.record("paused", pause.subject, actor=user, reason=reason, note=pause.note)
    except IntegrityError as error:
        raise ValidationError("Phần này đang tạm dừng rồi. / This is paused already.") from error
    return pause


def end(pause: Pause, user: AbstractBaseUser) -> None:
    """Answer again; raises ValidationError when somebody has ended the pause before."""
    with transaction.atomic():
        rows = Pause.objects.filter(pk=pause.pk, ended_at=None)
        if not rows.update(ended_at=timezone.now(), ended_by=user):
            raise ValidationError("Đã có người cho trả lời lại. / Somebody has ended this pause already.")
        audit.record("resumed", pause.subject, actor=user)


def withdraw(slug: str, note: str, user: AbstractBaseUser) -> Entry:
    """Take an entry off the air in every language; raises ValidationError when it is not on the air or no reason given.

    Its history in the console shows the reason beside who did it.
    """
    if not note.strip():
        raise ValidationError("Hãy ghi lý do cho đồng nghiệp. / Tell colleagues why.")
    with transaction.atomic():
        entry = Entry.objects.select_for_update().filter(slug=slug.strip(), live=True).first()
        if entry is None:
            raise ValidationError(
                f"Không có mục đang công bố nào tên “{slug}”. / There is no published entry “{slug}”."
            )
        # Whoever may pause may withdraw, without Wagtail's right to publish.
        UnpublishAction(entry, user=user, log_action=False).execute(skip_permission_checks=True)
        log(instance=entry, action="wagtail.unpublish", user=user, data={"reason": note.strip()[:300]})
        audit.record("withdrawn", f"entry:{entry.slug}", actor=user, note=note.strip()[:300])
    return entry
