"""Files that askers send along: letters of accreditation, photographs of what they complain about."""

from __future__ import annotations

from django.db import models

from desk.models.tickets import Ticket


class FileState(models.TextChoices):
    """How far a file has come: announced by the channel, fetched and checked, refused, or erased."""

    PENDING = "pending", "Đang nhận / being fetched"
    STORED = "stored", "Đã lưu / stored"
    REFUSED = "refused", "Không nhận / refused"
    ERASED = "erased", "Đã xóa / erased"


class TicketFile(models.Model):
    """A file of a conversation; it belongs to a ticket as soon as one is opened. Its bytes lie outside the web root."""

    conversation = models.ForeignKey("bot.Conversation", null=True, on_delete=models.SET_NULL, related_name="files")
    ticket = models.ForeignKey(Ticket, null=True, blank=True, on_delete=models.PROTECT, related_name="files")
    state = models.CharField(max_length=10, choices=FileState, default=FileState.PENDING)
    # The name the asker gave it, cleaned; what lies on disk is named by chance.
    name = models.CharField("tên tệp / file name", max_length=200)
    content_type = models.CharField("loại / type", max_length=100, blank=True)
    size = models.PositiveIntegerField("cỡ (byte) / size (bytes)", default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # Below settings.FILES_ROOT.
    path = models.CharField(max_length=200, blank=True)
    # How the channel names it (Telegram's file_id), to fetch it again after a crash.
    external_id = models.CharField(max_length=250, blank=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "tệp của người hỏi / asker's file"
        verbose_name_plural = "tệp của người hỏi / askers' files"

    def __str__(self) -> str:
        return self.name
