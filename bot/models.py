"""What the channels store: conversations, incoming updates, outcomes, and the outbox.

An incoming update is stored before it is acknowledged and worked off in order; every message leaves exactly one
`Turn` with a typed outcome; everything said to a person is a `Message` in the outbox, kept until it is delivered.
"""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models


class Handler(models.TextChoices):
    """Who answers a conversation: the machine, or a person who took it over."""

    BOT = "bot", "Máy / machine"
    STAFF = "staff", "Cán bộ / staff"


class Outcome(models.TextChoices):
    """How a message ended; every message has exactly one (design, path of one message, 5)."""

    ANSWERED = "answered", "đã trả lời / answered"
    CLARIFY = "clarify", "hỏi lại / clarify"
    NOT_KNOWN = "not_known", "chưa biết / not known"
    FORM = "form", "đang điền phiếu / form"
    HANDED_OFF = "handed_off", "chuyển cán bộ / handed off"
    EMERGENCY = "emergency", "khẩn cấp / emergency"
    SMALL_TALK = "small_talk", "xã giao / small talk"
    REFUSED = "refused", "từ chối / refused"
    FAILED = "failed", "lỗi / failed"


class Conversation(models.Model):
    """One chat on one channel: its language, and who answers it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.CharField(max_length=20)
    chat_id = models.CharField(max_length=200)
    # Empty until the first message was read.
    language = models.CharField(max_length=5, blank=True)
    language_chosen = models.BooleanField(default=False)
    handler = models.CharField(max_length=10, choices=Handler, default=Handler.BOT)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Counted up whenever the handler changes: a reply computed under an older epoch is dropped at the send.
    epoch = models.PositiveIntegerField(default=0)
    # The form that is being filled in and the field it waits for, as the dialogue last said.
    form = models.CharField(max_length=40, blank=True)
    requested = models.CharField(max_length=60, blank=True)
    # The asker's time zone (IANA name), when they or their client said it.
    timezone = models.CharField(max_length=50, blank=True)
    # The ticket to which the next message is a further word ("reply to the staff" was pressed).
    replying_to = models.ForeignKey(
        "desk.Ticket", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    not_known_count = models.PositiveSmallIntegerField(default=0)
    unreachable = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "chat_id"], name="one_conversation_per_chat")]
        verbose_name = "hội thoại / conversation"

    def __str__(self) -> str:
        return f"{self.channel}:{self.uuid}"

    @property
    def sender(self) -> str:
        """Return the pseudonym under which the dialogue engine knows this conversation."""
        return str(self.uuid)


class UpdateState(models.TextChoices):
    """How far an update has come."""

    RECEIVED = "received"
    DONE = "done"
    FAILED = "failed"


class Update(models.Model):
    """Something that came in on a channel, stored before it is acknowledged; a repeat has the same id."""

    channel = models.CharField(max_length=20)
    external_id = models.CharField(max_length=100)
    conversation = models.ForeignKey(Conversation, null=True, on_delete=models.CASCADE, related_name="updates")
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=UpdateState, default=UpdateState.RECEIVED)
    error = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="one_row_per_update")]
        indexes = [models.Index(fields=["state", "id"])]
        verbose_name = "cập nhật / update"


class Turn(models.Model):
    """How one message ended, with what the search saw."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    update_row = models.OneToOneField(
        Update, null=True, on_delete=models.SET_NULL, related_name="turn", db_column="update_id"
    )
    text = models.TextField(blank=True)
    language = models.CharField(max_length=5)
    outcome = models.CharField(max_length=20, choices=Outcome)
    intent = models.CharField(max_length=60, blank=True)
    entry = models.CharField(max_length=80, blank=True)
    entry_language = models.CharField(max_length=5, blank=True)
    score = models.FloatField(null=True)
    near = models.JSONField(default=list)
    ticket = models.CharField(max_length=30, blank=True)
    degraded = models.BooleanField(default=False)
    milliseconds = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    # What the asker said about it (bot/wishes.py): not what I asked; tell me when there is an answer, which is looked
    # for again and again until it is told.
    disliked_at = models.DateTimeField(null=True, blank=True)
    wished_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["looked_at"], name="waiting_turns", condition=models.Q(wished_at__isnull=False)),
        ]
        verbose_name = "lượt / turn"


class Author(models.TextChoices):
    """Who said a message."""

    USER = "user", "Người hỏi / asker"
    BOT = "bot", "Máy / machine"
    STAFF = "staff", "Cán bộ / staff"


class Delivery(models.TextChoices):
    """How far an outgoing message has come."""

    QUEUED = "queued", "Đang chờ gửi / queued"
    SENDING = "sending", "Đang gửi / sending"
    DELIVERED = "delivered", "Đã chuyển tới / delivered"
    FAILED = "failed", "Gửi lỗi / failed"
    BLOCKED = "blocked", "Bị người nhận chặn / blocked by the user"
    UNCERTAIN = "uncertain", "Chưa rõ / uncertain"
    DROPPED = "dropped", "Không gửi / dropped"


class Message(models.Model):
    """One thing said in a conversation; outgoing ones are the outbox.

    `payload` is the reply as the JSON API shows it (text, buttons, place, entry, source …); incoming messages
    are delivered by being here.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    turn = models.ForeignKey(Turn, null=True, on_delete=models.SET_NULL, related_name="messages")
    ticket = models.ForeignKey("desk.Ticket", null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    author = models.CharField(max_length=10, choices=Author)
    text = models.TextField(blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=Delivery, default=Delivery.QUEUED)
    priority = models.SmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    external_id = models.CharField(max_length=100, blank=True)
    error = models.CharField(max_length=300, blank=True)
    # Counted up when staff edit what was sent; the channel shows the edit when `shown_revision` has caught up.
    revision = models.PositiveSmallIntegerField(default=0)
    shown_revision = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "priority", "id"]), models.Index(fields=["conversation", "id"])]
        ordering = ["id"]
        verbose_name = "tin nhắn / message"


def button_id() -> str:
    """Return a fresh opaque id: 16 characters, far under Telegram's 64 bytes of callback data."""
    return "b" + secrets.token_urlsafe(11)


class Button(models.Model):
    """A button somebody may press: an opaque id outside, an order for the dialogue engine inside."""

    id = models.CharField(primary_key=True, max_length=20, default=button_id)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="buttons")
    label = models.CharField(max_length=300)
    payload = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "nút / button"
