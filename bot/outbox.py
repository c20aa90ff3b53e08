"""The outbox: everything said to a person waits here until its channel has delivered it.

A row is claimed in the database before it is sent, so that two processes never send the same one; what is sent
is never sent again unless the channel said that it did not arrive (lessons T17).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from bot.models import Author, Conversation, Delivery, Handler, Message
from bot.pauses import notice
from bot.replies import OWN
from bot.store import FETCHED
from bot.texts import say
from desk.pauses import active
from knowledge.answers import load_answer

logger = logging.getLogger(__name__)
# With a minute between two attempts at most, an outage of Telegram's is sat out for about six hours.
MAX_ATTEMPTS = 400
# How long a claimed message may be under way; after that its sender has crashed, and nobody knows whether it arrived.
# python-telegram-bot gives one request up at 16 s; the chat's later messages wait as long as this.
LEASE = dt.timedelta(seconds=90)
# An entry read this short a time ago, in the transaction that queued it, was read just before sending.
FRESH = dt.timedelta(seconds=1)


@dataclass(frozen=True)
class Sent:
    """What became of one attempt: the new state, and for a retry how long to wait (seconds)."""

    state: Delivery
    external_id: str = ""
    error: str = ""
    retry_in: float | None = None


# Telegram lets a bot edit what it sent for 48 hours (core.telegram.org/bots/api#editmessagetext).
EDITABLE = dt.timedelta(hours=48)

Sender = Callable[[Message], Awaitable[Sent]]


def due(channel: str, limit: int = 100) -> dict[int, list[int]]:
    """Return the messages to send now on a channel: {conversation id: [message ids, oldest first]}.

    A chat whose oldest message must wait waits as a whole, so that order is kept. What a crash left behind while it
    was being sent becomes "uncertain" (lessons T17: sent again, it might arrive twice).
    """
    chats: dict[int, list[int]] = defaultdict(list)
    held: set[int] = set()
    now = timezone.now()
    rows = (
        Message.objects.filter(
            Q(state=Delivery.QUEUED) | Q(state=Delivery.SENDING), conversation__channel=channel
        )
        .exclude(author=Author.USER)
        .order_by("-priority", "id")
        .values_list("id", "conversation_id", "not_before", "state")[:limit]
    )
    for pk, conversation, not_before, state in rows:
        if state == Delivery.SENDING and not_before and not_before < now:
            Message.objects.filter(pk=pk, state=Delivery.SENDING).update(
                state=Delivery.UNCERTAIN, error="broken off while it was being sent", not_before=None
            )
        elif state == Delivery.SENDING or (not_before and not_before > now):
            held.add(conversation)
        elif conversation not in held:
            chats[conversation].append(pk)
    return chats


def claim(message_id: int) -> Message | None:
    """Take a queued message for sending, checked once more; None when it is not to be sent.

    The gate: a machine's reply is dropped while a person has the conversation. The truth: an entry withdrawn
    since is replaced by a sentence that says so.
    """
    with transaction.atomic():
        if not Message.objects.filter(pk=message_id, state=Delivery.QUEUED).update(state=Delivery.SENDING):
            return None
        message = Message.objects.select_related("conversation", "ticket", "turn").get(pk=message_id)
        message.attempts += 1
        message.not_before = timezone.now() + LEASE
        if message.author == Author.BOT:
            # What the desk says about a ticket (desk/notices.py) is no second voice, nor is a receipt (bot/orders.py).
            apart = message.ticket_id is not None or (message.turn is not None and message.turn.intent == OWN)
            if message.conversation.handler == Handler.STAFF and not apart:
                message.state = Delivery.DROPPED
            entry = message.payload.get("entry")
            waited = timezone.now() - message.created_at
            language = message.conversation.language
            if entry and waited > FRESH and (refused := _refused(entry, language)):
                message.text = refused
                message.payload |= {"text": message.text, "entry": None, "source": None, "place": None}
        message.save()
        return message if message.state == Delivery.SENDING else None


def _refused(entry: str, language: str) -> str | None:
    """Return what to say instead of an answer that waited and may not be given any more."""
    answer = load_answer(entry, language)
    return say("withdrawn", language) if answer is None else notice(active(), answer.category, language)


def settle(message: Message, sent: Sent) -> None:
    """Record what became of an attempt."""
    with transaction.atomic():
        retry = sent.retry_in is not None and message.attempts < MAX_ATTEMPTS
        Message.objects.filter(pk=message.pk).update(
            state=Delivery.QUEUED if retry else (Delivery.FAILED if sent.retry_in is not None else sent.state),
            external_id=sent.external_id[:100],
            error=sent.error[:300],
            not_before=timezone.now() + dt.timedelta(seconds=sent.retry_in) if retry else None,
            sent_at=timezone.now() if sent.state == Delivery.DELIVERED else None,
        )
        if sent.state == Delivery.BLOCKED:
            Conversation.objects.filter(pk=message.conversation_id).update(unreachable=True)


def edited(channel: str, limit: int = 50) -> list[Message]:
    """Return what was delivered on a channel and has been edited by its author since, as far as it can be shown."""
    now = timezone.now()
    rows = Message.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now), author=Author.STAFF, state=Delivery.DELIVERED,
        conversation__channel=channel, revision__gt=F("shown_revision"), sent_at__gte=now - EDITABLE,
    )
    return list(rows.select_related("conversation", "ticket").order_by("id")[:limit])


def settle_edit(message: Message, sent: Sent) -> None:
    """Record what became of an edit; one that failed for good is not tried again, and staff see why."""
    seconds = sent.retry_in
    Message.objects.filter(pk=message.pk).update(
        shown_revision=F("shown_revision") if seconds is not None else message.revision,
        not_before=timezone.now() + dt.timedelta(seconds=seconds) if seconds is not None else None,
        error=f"edit: {sent.error}"[:300] if sent.error else "",
    )


class Outbox:
    """Delivers what waits: sends it on pushing channels, wakes the readers of fetching ones."""

    def __init__(self, poll_seconds: float) -> None:
        self.poll_seconds = poll_seconds
        self._senders: dict[str, Sender] = {}
        self._editors: dict[str, Sender] = {}
        self._kick = asyncio.Event()
        self._readers: dict[tuple[str, str], set[asyncio.Event]] = defaultdict(set)
        self._busy: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, channel: str, sender: Sender, editor: Sender | None = None) -> None:
        """Deliver a channel's messages through `sender`, and the edits of them through `editor`."""
        self._senders[channel] = sender
        if editor:
            self._editors[channel] = editor

    def kick(self) -> None:
        """Look now instead of at the next poll."""
        self._kick.set()

    def listen(self, channel: str, chat_id: str) -> asyncio.Event:
        """Return an event that is set whenever something waits for a fetching reader."""
        event = asyncio.Event()
        self._readers[channel, chat_id].add(event)
        return event

    def forget(self, channel: str, chat_id: str, event: asyncio.Event) -> None:
        """Stop waking a reader."""
        self._readers[channel, chat_id].discard(event)
        if not self._readers[channel, chat_id]:
            del self._readers[channel, chat_id]

    async def run(self) -> None:
        """Deliver until cancelled; a database that is busy for a moment is tried again."""
        while True:
            self._kick.clear()
            try:
                for channel in self._senders:
                    for conversation, ids in (await sync_to_async(due)(channel)).items():
                        if conversation not in self._busy:
                            self._start(channel, conversation, ids)
                for channel, editor in self._editors.items():
                    for message in await sync_to_async(edited)(channel):
                        await sync_to_async(settle_edit)(message, await editor(message))
                if self._readers:
                    await self._wake_readers()
            except Exception:  # the loop that delivers answers must outlive any single fault
                logger.exception("The outbox could not be read; trying again")
            try:
                await asyncio.wait_for(self._kick.wait(), self.poll_seconds)
            except TimeoutError:
                continue

    def _start(self, channel: str, conversation: int, ids: list[int]) -> None:
        self._busy.add(conversation)
        task = asyncio.create_task(self._deliver(channel, ids))
        self._tasks.add(task)

        def finished(done: asyncio.Task[None]) -> None:
            self._busy.discard(conversation)
            self._tasks.discard(done)
            if not done.cancelled() and done.exception():
                logger.error("A delivery broke off", exc_info=done.exception())

        task.add_done_callback(finished)

    async def _deliver(self, channel: str, ids: list[int]) -> None:
        for message_id in ids:
            message = await sync_to_async(claim)(message_id)
            if message is None:
                continue
            try:
                sent = await self._senders[channel](message)
            except Exception as error:  # the staff must see that it did not go out, and the chat must go on
                logger.exception("Message %s could not be sent", message_id)
                sent = Sent(Delivery.FAILED, error=f"{type(error).__name__}: {error}")
            await sync_to_async(settle)(message, sent)
            if sent.retry_in is not None:
                return

    async def _wake_readers(self) -> None:
        rows = await sync_to_async(list)(
            Message.objects.filter(state=Delivery.QUEUED, conversation__channel__in=FETCHED)
            .exclude(author=Author.USER)
            .values_list("conversation__channel", "conversation__chat_id")
            .distinct()
        )
        for key in rows:
            for event in self._readers.get(key, ()):
                event.set()
