"""Tickets: what a machine must not answer, from its first line to the released reply."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Kind(models.TextChoices):
    """What a ticket is about; the kind decides who sees it and which office works on it."""

    PRESS = "press", "Báo chí / press"
    INVESTMENT = "investment", "Đầu tư / investment"
    COMPLAINT = "complaint", "Phản ánh / complaint"
    OTHER = "other", "Khác / other"


class State(models.TextChoices):
    """How far a ticket has come."""

    OPEN = "open", "Mới / open"
    CLAIMED = "claimed", "Đang xử lý / claimed"
    ANSWERED = "answered", "Đã trả lời / answered"
    CLOSED = "closed", "Đã đóng / closed"


class TicketCounter(models.Model):
    """The last ticket number given out in a year."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)


class Ticket(models.Model):
    """A request that a person answers; it exists here before its number is told to anyone."""

    number = models.CharField("số phiếu / number", max_length=30, unique=True)
    kind = models.CharField("loại / kind", max_length=20, choices=Kind)
    state = models.CharField("trạng thái / state", max_length=20, choices=State, default=State.OPEN)
    department = models.ForeignKey(
        "knowledge.Department", null=True, blank=True, on_delete=models.PROTECT, related_name="tickets",
        verbose_name="cơ quan / department",
    )
    conversation = models.ForeignKey(
        "bot.Conversation", null=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    language = models.CharField("ngôn ngữ / language", max_length=5)
    words = models.TextField("nguyên văn / the asker's own words")
    fields = models.JSONField("biểu mẫu / form", default=dict, blank=True)
    deadline = models.DateTimeField("hạn trả lời / deadline", null=True, blank=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="claimed_tickets",
        verbose_name="người xử lý / claimed by",
    )
    created_at = models.DateTimeField("nhận lúc / received", auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "kind"])]
        verbose_name = "phiếu / ticket"
        verbose_name_plural = "phiếu / tickets"
        permissions = [
            ("work_press", "Xem và trả lời phiếu báo chí / See and answer press tickets"),
            ("work_tickets", "Xem và trả lời các phiếu khác / See and answer other tickets"),
        ]

    def __str__(self) -> str:
        return self.number


class TicketEvent(models.Model):
    """One line of a ticket's history; lines are added, never changed or removed."""

    class Type(models.TextChoices):
        OPENED = "opened", "Mở phiếu / opened"
        MESSAGE = "message", "Người hỏi viết / asker wrote"
        CLAIMED = "claimed", "Nhận xử lý / claimed"
        ANSWER = "answer", "Trả lời / answer"
        NOTE = "note", "Ghi chú nội bộ / private note"
        TAKEN_OVER = "taken_over", "Tiếp quản hội thoại / took the conversation over"
        GIVEN_BACK = "given_back", "Trả lại cho máy / gave the conversation back"
        CLOSED = "closed", "Đóng / closed"
        REOPENED = "reopened", "Mở lại / reopened"

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="events")
    type = models.CharField(max_length=20, choices=Type)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    message = models.ForeignKey("bot.Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "diễn biến / event"

    def save(self, *args: object, **kwargs: object) -> None:
        """Add a line; refuse to change one."""
        if self.pk is not None:
            raise TypeError("A ticket's history is append-only: add another event instead of changing this one.")
        super().save(*args, **kwargs)


class LoginToken(models.Model):
    """The nonce of a user's one-time login link; it is deleted by the first use."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now=True)
