"""Which reminders of a deadline were sent, so that none is sent twice."""

from __future__ import annotations

from django.db import models

from desk.models.tickets import Ticket


class Reminder(models.Model):
    """One reminder about one deadline of a ticket; another deadline is reminded of anew."""

    class Stage(models.TextChoices):
        HOLDER = "holder", "Nhắc người xử lý / to the holder"
        HEAD = "head", "Nhắc lãnh đạo / to the head"
        ASKER = "asker", "Báo người hỏi / to the asker"

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="reminders")
    stage = models.CharField(max_length=10, choices=Stage)
    deadline = models.DateTimeField()
    sent_to = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "stage", "deadline"], name="one_reminder_per_stage")
        ]
        verbose_name = "nhắc hạn / reminder"
