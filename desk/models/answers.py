"""Answers by people: what was written in both languages, who released it, and texts that are used again."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from desk.models.tickets import Kind, Ticket


class AnswerState(models.TextChoices):
    """How far an answer has come; only a released one is ever sent."""

    PROPOSED = "proposed", "Chờ duyệt / awaiting release"
    RETURNED = "returned", "Trả lại để sửa / sent back"
    RELEASED = "released", "Đã duyệt / released"


class Answer(models.Model):
    """What a person answers to a ticket, in the asker's language and in Vietnamese for the file.

    A press answer is released by a second person; any other is released by its author. The message in the outbox is
    made at the release, so that nothing unreleased can be sent by any mistake of the outbox.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="answers")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField("bằng ngôn ngữ người hỏi / in the asker's language")
    text_vi = models.TextField("bằng tiếng Việt / in Vietnamese", blank=True)
    state = models.CharField(max_length=10, choices=AnswerState, default=AnswerState.PROPOSED)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField("lý do trả lại / why it was sent back", blank=True)
    message = models.OneToOneField(
        "bot.Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="answer"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "câu trả lời của cán bộ / staff answer"
        verbose_name_plural = "câu trả lời của cán bộ / staff answers"

    def __str__(self) -> str:
        return f"{self.ticket.number} #{self.pk}"


class CannedReply(models.Model):
    """A text that staff use again; the one in the asker's language is put into the answer, to be changed there."""

    title = models.CharField("tên / title", max_length=120, unique=True)
    kind = models.CharField(
        "loại phiếu / kind", max_length=20, choices=Kind, blank=True, help_text="Để trống: mọi loại. / Empty: any kind."
    )
    text_vi = models.TextField("tiếng Việt / Vietnamese")
    text_en = models.TextField("tiếng Anh / English", blank=True)
    text_zh = models.TextField("tiếng Trung / Chinese", blank=True)
    text_ko = models.TextField("tiếng Hàn / Korean", blank=True)
    text_ja = models.TextField("tiếng Nhật / Japanese", blank=True)
    text_fr = models.TextField("tiếng Pháp / French", blank=True)
    text_ru = models.TextField("tiếng Nga / Russian", blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["title"]
        verbose_name = "câu trả lời mẫu / canned reply"
        verbose_name_plural = "câu trả lời mẫu / canned replies"

    def __str__(self) -> str:
        return self.title

    def text(self, language: str) -> str:
        """Return the text in a language, "" when nobody has written it."""
        return getattr(self, f"text_{language}", "")
