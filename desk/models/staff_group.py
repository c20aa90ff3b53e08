"""The optional staff group on Telegram: a topic for each ticket, and which post there stands for what here."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from desk.models.tickets import Ticket, TicketEvent


class Colleague(models.Model):
    """Which Telegram account is which colleague; nobody else's words in the group are taken for an answer."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="telegram")
    telegram_id = models.BigIntegerField("số Telegram / Telegram id", unique=True)

    class Meta:
        verbose_name = "tài khoản Telegram của cán bộ / colleague on Telegram"
        verbose_name_plural = "tài khoản Telegram của cán bộ / colleagues on Telegram"

    def __str__(self) -> str:
        return f"{self.user} ({self.telegram_id})"


class Topic(models.Model):
    """The forum topic of a ticket; a deleted one is made again (its thread id changes)."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="topic")
    chat_id = models.BigIntegerField()
    thread_id = models.BigIntegerField(null=True)
    # The first post, which carries the claim button.
    header_id = models.BigIntegerField(null=True)
    # The last line of the ticket's history that was posted.
    last_event = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)


class PostState(models.TextChoices):
    """How far a post to the group has come."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Post(models.Model):
    """One post in a topic and what it stands for: the pair table by which replies and edits find their way."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="posts")
    event = models.ForeignKey(TicketEvent, null=True, on_delete=models.SET_NULL, related_name="posts")
    message = models.ForeignKey("bot.Message", null=True, on_delete=models.SET_NULL, related_name="posts")
    # Written in the group by a colleague (True) or by us (False).
    from_group = models.BooleanField(default=False)
    external_id = models.BigIntegerField(null=True)
    text = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=PostState, default=PostState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["state", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["topic", "external_id", "from_group"], name="one_row_per_post",
                condition=models.Q(external_id__isnull=False),
            )
        ]
