"""What staff have switched off: the whole bot, or one topic."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from knowledge.models import Category


class Pause(models.Model):
    """A time in which the machine does not answer; rows are ended, never deleted, so that they stay explained."""

    class Reason(models.TextChoices):
        """Why, in the words that askers read in their language (bot/texts.yml, `paused_because_…`)."""

        CHECKING = "checking", "Đang kiểm tra thông tin / the information is being checked"
        FAULT = "fault", "Sự cố kỹ thuật / a technical fault"
        EMERGENCY = "emergency", "Tình huống khẩn cấp / an emergency"

    # "" is the whole bot.
    category = models.CharField("phạm vi / what", max_length=20, choices=Category, blank=True)
    reason = models.CharField("lý do (người hỏi thấy) / reason (askers see it)", max_length=20, choices=Reason)
    note = models.CharField("ghi chú nội bộ / note for colleagues", max_length=300)
    began_at = models.DateTimeField(default=timezone.now)
    began_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-began_at"]
        # The same thing is paused once at a time.
        constraints = [
            models.UniqueConstraint(
                fields=["category"], condition=models.Q(ended_at=None), name="one_pause_at_a_time"
            )
        ]
        permissions = [("pause_answers", "Tạm dừng trả lời / Pause answers")]
        default_permissions = ()
        verbose_name = "tạm dừng / pause"

    def __str__(self) -> str:
        return f"{self.subject} ({self.reason})"

    @property
    def subject(self) -> str:
        """Return what is paused, as the audit log names it."""
        return f"topic:{self.category}" if self.category else "bot"
