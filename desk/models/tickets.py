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
    PROPOSED = "proposed", "Chờ duyệt / awaiting release"
    ANSWERED = "answered", "Đã trả lời / answered"
    CLOSED = "closed", "Đã đóng / closed"


# What somebody still has to do something about.
WAITING = (State.OPEN, State.CLAIMED, State.PROPOSED)


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
    # The asker's own zone (IANA name), when they said it or their client did; "" means the city's.
    timezone = models.CharField(max_length=50, blank=True)
    # When the asker agreed that their contact data are kept with this request.
    consented_at = models.DateTimeField(null=True, blank=True)
    # An earlier request that this one continues (it was closed too long ago to be reopened).
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followed_by",
        verbose_name="phiếu trước / earlier ticket",
    )
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged",
        verbose_name="gộp vào / merged into",
    )
    created_at = models.DateTimeField("nhận lúc / received", auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # When the asker took the request back, and when what it said about them was erased.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "kind"])]
        verbose_name = "phiếu / ticket"
        verbose_name_plural = "phiếu / tickets"
        permissions = [
            ("work_press", "Xem và trả lời phiếu báo chí / See and answer press tickets"),
            ("work_tickets", "Xem và trả lời các phiếu khác / See and answer other tickets"),
            ("release_answer", "Duyệt câu trả lời báo chí / Release press answers"),
            ("assign_ticket", "Giao phiếu cho người khác / Assign tickets to others"),
            ("view_audit", "Xem nhật ký kiểm toán / See the audit log"),
        ]

    def __str__(self) -> str:
        return self.number


class TicketEvent(models.Model):
    """One line of a ticket's history; lines are added, never changed or removed."""

    class Type(models.TextChoices):
        OPENED = "opened", "Mở phiếu / opened"
        MESSAGE = "message", "Người hỏi viết / asker wrote"
        CLAIMED = "claimed", "Nhận xử lý / claimed"
        ASSIGNED = "assigned", "Giao xử lý / assigned"
        DEPARTMENT = "department", "Chuyển cơ quan / department changed"
        DEADLINE = "deadline", "Đổi hạn / deadline changed"
        PROPOSED = "proposed", "Trình duyệt câu trả lời / answer put up for release"
        RETURNED = "returned", "Trả lại để sửa / sent back"
        RELEASED = "released", "Duyệt và gửi / released"
        ANSWER = "answer", "Trả lời / answer"
        EDITED = "edited", "Sửa câu trả lời đã gửi / answer edited"
        FILE = "file", "Nhận tệp / file received"
        NOTE = "note", "Ghi chú nội bộ / private note"
        TAKEN_OVER = "taken_over", "Tiếp quản hội thoại / took the conversation over"
        GIVEN_BACK = "given_back", "Trả lại cho máy / gave the conversation back"
        CLOSED = "closed", "Đóng / closed"
        REOPENED = "reopened", "Mở lại / reopened"
        MERGED = "merged", "Gộp phiếu / merged"
        LINKED = "linked", "Phiếu nối tiếp / linked ticket"
        REMINDED = "reminded", "Nhắc hạn / reminder sent"
        LATE = "late", "Báo trễ hạn cho người hỏi / asker told of the delay"
        WITHDRAWN = "withdrawn", "Người hỏi rút yêu cầu / withdrawn by the asker"
        ERASED = "erased", "Xóa dữ liệu cá nhân / personal data erased"
        EXPORTED = "exported", "Xuất hồ sơ / exported"
        DRAFTED = "drafted", "Tạo bản nháp mục kiến thức / knowledge draft made"

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
