"""The outbox on a real database; its channel is a sender that answers what the test says."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from bot.models import Conversation, Delivery, Handler, Message
from bot.outbox import LEASE, MAX_ATTEMPTS, Outbox, Sent, claim, due, settle

pytestmark = pytest.mark.django_db(transaction=True)
DELIVERED = Sent(Delivery.DELIVERED, external_id="7")


def queue(chat: str, text: str, **fields) -> Message:
    conversation, _ = Conversation.objects.get_or_create(
        channel="telegram", chat_id=chat, defaults={"language": "en"}
    )
    payload = {"text": text, "buttons": [], "language": "en", "entry": fields.pop("entry", None)}
    return Message.objects.create(
        conversation=conversation, author=fields.pop("author", "bot"), text=text, payload=payload, **fields
    )


class Channel:
    """A sender that keeps what it was given and answers `Sent`s in turn, the last one for ever."""

    def __init__(self, *answers: Sent) -> None:
        self.answers = list(answers) or [DELIVERED]
        self.sent: list[tuple[str, str]] = []

    async def __call__(self, message: Message) -> Sent:
        self.sent.append((message.conversation.chat_id, message.payload["text"]))
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def deliver(channel: Channel, until: Callable[[], bool], seconds: float = 3.0) -> None:
    """Run a real outbox over the channel until a condition holds."""
    outbox = Outbox(0.01)
    outbox.add("telegram", channel)
    running = asyncio.create_task(outbox.run())
    try:
        async with asyncio.timeout(seconds):
            while not until():
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, *outbox._tasks, return_exceptions=True)


async def state(message: Message) -> Message:
    return await Message.objects.aget(pk=message.pk)


async def test_messages_of_a_chat_arrive_in_the_order_they_were_said() -> None:
    for number in range(5):
        await sync_to_async(queue)("a", str(number))
    channel = Channel()
    await deliver(channel, lambda: len(channel.sent) == 5)
    assert channel.sent == [("a", str(number)) for number in range(5)]
    assert await Message.objects.filter(state=Delivery.DELIVERED, external_id="7").acount() == 5


async def test_an_answer_of_the_staff_goes_before_what_waits_in_other_chats() -> None:
    await sync_to_async(queue)("a", "machine")
    staff = await sync_to_async(queue)("b", "person", author="staff", priority=10)
    assert next(iter((await sync_to_async(due)("telegram")).values())) == [staff.pk]


async def test_of_two_processes_only_one_claims_a_message() -> None:
    message = await sync_to_async(queue)("a", "once")
    claims = [await sync_to_async(claim)(message.pk) for _ in range(2)]
    assert [claimed is not None for claimed in claims] == [True, False]
    assert (await state(message)).state == Delivery.SENDING


async def test_two_outboxes_over_one_database_send_each_message_once() -> None:
    for number in range(10):
        await sync_to_async(queue)(f"chat-{number % 3}", str(number))
    one, other = Channel(), Channel()
    await asyncio.gather(
        deliver(one, lambda: len(one.sent) + len(other.sent) == 10),
        deliver(other, lambda: len(one.sent) + len(other.sent) == 10),
    )
    assert sorted(text for _, text in one.sent + other.sent) == [str(number) for number in range(10)]


async def test_a_chat_told_to_wait_waits_as_a_whole_and_others_do_not() -> None:
    first = await sync_to_async(queue)("slow", "1")
    await sync_to_async(queue)("slow", "2")
    await sync_to_async(queue)("quick", "3")
    channel = Channel(Sent(Delivery.QUEUED, error="Too Many Requests", retry_in=0.3), DELIVERED)
    await deliver(channel, lambda: len(channel.sent) == 4)
    assert channel.sent[0] == ("slow", "1")
    assert [text for chat, text in channel.sent if chat == "slow"] == ["1", "1", "2"]
    assert channel.sent.index(("quick", "3")) < len(channel.sent) - 2
    assert ((await state(first)).state, (await state(first)).attempts) == (Delivery.DELIVERED, 2)


async def test_a_message_that_never_gets_through_ends_as_failed() -> None:
    message = await sync_to_async(queue)("a", "x", attempts=MAX_ATTEMPTS - 1)
    channel = Channel(Sent(Delivery.QUEUED, error="no route", retry_in=0.0))
    await deliver(channel, lambda: len(channel.sent) == 1)
    assert ((await state(message)).state, (await state(message)).error) == (Delivery.FAILED, "no route")


async def test_a_blocked_chat_is_noted_as_unreachable() -> None:
    message = await sync_to_async(queue)("a", "x")
    channel = Channel(Sent(Delivery.BLOCKED, error="Forbidden: bot was blocked by the user"))
    await deliver(channel, lambda: len(channel.sent) == 1)
    assert (await state(message)).state == Delivery.BLOCKED
    assert (await Conversation.objects.aget()).unreachable


async def test_a_lost_confirmation_is_uncertain_and_is_not_sent_again() -> None:
    message = await sync_to_async(queue)("a", "x")
    channel = Channel(Sent(Delivery.UNCERTAIN, error="Timed out"))
    await deliver(channel, lambda: len(channel.sent) == 1)
    assert len(channel.sent) == 1
    assert (await state(message)).state == Delivery.UNCERTAIN


async def test_a_message_whose_sender_crashed_becomes_uncertain_and_frees_its_chat() -> None:
    crashed = await sync_to_async(queue)("a", "lost?")
    waiting = await sync_to_async(queue)("a", "next")
    await sync_to_async(claim)(crashed.pk)
    assert await sync_to_async(due)("telegram") == {}
    await Message.objects.filter(pk=crashed.pk).aupdate(not_before=timezone.now() - dt.timedelta(seconds=1))
    chats = await sync_to_async(due)("telegram")
    assert list(chats.values()) == [[waiting.pk]]
    assert (await state(crashed)).state == Delivery.UNCERTAIN
    assert dt.timedelta(minutes=1) < LEASE


async def test_a_reply_of_the_machine_is_dropped_while_a_person_has_the_conversation() -> None:
    machine = await sync_to_async(queue)("a", "machine")
    person = await sync_to_async(queue)("a", "person", author="staff")
    await Conversation.objects.aupdate(handler=Handler.STAFF)
    channel = Channel()
    await deliver(channel, lambda: len(channel.sent) == 1)
    assert channel.sent == [("a", "person")]
    assert (await state(machine)).state == Delivery.DROPPED
    assert (await state(person)).state == Delivery.DELIVERED


async def test_an_entry_withdrawn_while_its_answer_waited_is_replaced(pagoda) -> None:
    message = await sync_to_async(queue)("a", "Open 7:00", entry="pagoda-hours")
    # It has waited longer than the moment for which the read at queueing counts.
    await Message.objects.filter(pk=message.pk).aupdate(created_at=timezone.now() - dt.timedelta(seconds=5))
    pagoda.live = False
    await pagoda.asave()
    channel = Channel()
    await deliver(channel, lambda: len(channel.sent) == 1)
    assert "withdrawn" in channel.sent[0][1]
    assert (await state(message)).payload["entry"] is None


async def test_a_delivered_message_keeps_when_it_was_sent() -> None:
    message = await sync_to_async(queue)("a", "x")
    claimed = await sync_to_async(claim)(message.pk)
    await sync_to_async(settle)(claimed, DELIVERED)
    stored = await state(message)
    assert (stored.state, stored.not_before) == (Delivery.DELIVERED, None)
    assert abs((timezone.now() - stored.sent_at).total_seconds()) < 5


async def test_a_sender_that_breaks_does_not_stop_the_outbox() -> None:
    broken = await sync_to_async(queue)("broken", "x")
    await sync_to_async(queue)("whole", "y")
    channel = Channel()
    good = channel.__call__

    async def sender(message: Message) -> Sent:
        if message.conversation.chat_id == "broken":
            raise RuntimeError("bug")
        return await good(message)

    await deliver(sender, lambda: ("whole", "y") in channel.sent)  # type: ignore[arg-type]
    assert ((await state(broken)).state, (await state(broken)).error) == (
        Delivery.FAILED,
        "RuntimeError: bug",
    )
