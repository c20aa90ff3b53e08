"""Evaluation cases that editors made: a question as somebody asks it, and the entry that must answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction

from knowledge.staff import may_change
from nlu.languages import LANGUAGES

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from knowledge.labelled import Question
    from knowledge.models import Entry


class EvaluationCase(models.Model):
    """One labelled question; without an entry, one that the desk must decline."""

    text = models.CharField("câu hỏi / question", max_length=1000)
    language = models.CharField("ngôn ngữ / language", max_length=5, choices=[(x.code, x.name) for x in LANGUAGES])
    entry = models.ForeignKey(
        "knowledge.Entry", null=True, blank=True, on_delete=models.CASCADE, related_name="cases",
        verbose_name="mục phải trả lời / entry that must answer",
        help_text="Để trống: phải nói là không biết. / Empty: the desk must say that it does not know.",
    )  # fmt: skip
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["text", "language"], name="one_case_per_question")]
        verbose_name = "câu kiểm tra / evaluation case"
        verbose_name_plural = "câu kiểm tra / evaluation cases"

    def __str__(self) -> str:
        return f"{self.text} → {self.entry or '∅'}"


def should_match(text: str, language: str, entry: Entry | None, user: AbstractBaseUser) -> tuple[EvaluationCase, bool]:
    """Keep a question as a case, and suggest it as another way to ask in the entry's text of that language.

    Returns the case and whether something was suggested: the suggestion is a draft, an editor publishes it. A question
    that was a case before is now one of this entry. Nothing is suggested when the text is locked by somebody else or
    another department's, is not there in that language, or holds the question already.
    """
    with transaction.atomic():
        case, _ = EvaluationCase.objects.update_or_create(
            text=text, language=language, defaults={"entry": entry},
            create_defaults={"entry": entry, "created_by": user},
        )
        row = entry.translations.select_for_update().filter(language=language).first() if entry else None
        if row is None or (row.locked and row.locked_by_id != user.pk) or not may_change(user, row):
            return case, False
        draft = row.get_latest_revision_as_object()
        if text.casefold() in (each.casefold() for each in draft.questions):
            return case, False
        draft.other_questions = "\n".join([*draft.questions[1:], text])
        draft.save_revision(user=user, log_action=True)
    return case, True


def labelled() -> list[Question]:
    """Return the cases as labelled questions, for `manage.py evaluate --knowledge`."""
    from knowledge.labelled import Question

    rows = EvaluationCase.objects.select_related("entry").order_by("id")
    return [
        Question(f"case-{row.pk}", row.language, row.text, (row.entry.slug,) if row.entry else ()) for row in rows
    ]
