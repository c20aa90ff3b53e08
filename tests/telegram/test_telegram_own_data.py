"""/mydata, /forget, /withdraw and the reply button over the real Telegram application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from bot import outbox
from bot.models import Conversation, Delivery, Message, Update
from bot.telegram.sender import TelegramSender
from desk import tickets
from desk.models import Receipt, State, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_memory(settings, tmp_path) -> None:
    settings.RASA_TRACKERS = tmp_path / "trackers.sqlite3"


@pytest.fixture
def take(channel, update):
    numbers = iter(range(910_000, 920_000))

    async def command(text: str) -> None:
        raw = update("command_language", update_id=next(numbers))
        entity = {"offset": 0, "length": len(text.split()[0]), "type": "bot_command"}
        raw["message"] |= {"text": text, "entities": [entity]}
        await channel.take(raw)
        await done()

    async def press(button: dict[str, Any]) -> None:
        raw = update("button", update_id=next(numbers))
        raw["callback_query"]["data"] = button["id"]
        await channel.take(raw)
        await done()

    async def done() -> None:
        while channel._tasks:
            await asyncio.gather(*channel._tasks, return_exceptions=True)

    command.press = press  # type: ignore[attr-defined]
    return command


async def last_message() -> Message:
    return await Message.objects.filter(author="bot").order_by("-id").afirst()


@pytest.mark.parametrize("text", ["/withdraw {}", "/withdraw@TestNameBot {}"])
async def test_a_command_with_a_number_withdraws_that_request(take, channel, text) -> None:
    await take("/privacy")
    conversation = await Conversation.objects.aget()
    ticket = await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language="ko", words="…")
    await take(text.format(ticket.number))
    assert (await Ticket.objects.aget()).state == State.CLOSED
    assert ticket.number in (await last_message()).text
    assert channel.asked == []  # the dialogue engine heard nothing of it


async def test_everything_is_erased_and_the_receipt_arrives(take, channel, request_, application) -> None:
    await take("/language ko")
    await take("/forget")
    yes = (await last_message()).payload["buttons"][0]
    assert yes["label"] == "모두 삭제"
    await take.press(yes)
    receipt = await Receipt.objects.aget()
    message = await last_message()
    assert receipt.number in message.text
    assert [each async for each in Update.objects.exclude(payload={}).values_list("payload", flat=True)] == [
        {"order": "forget:yes", "receipt": receipt.number}
    ]
    assert (await sync_to_async(outbox.claim)(message.pk)).state == Delivery.SENDING
    sent = await TelegramSender(application.bot)(
        await Message.objects.select_related("conversation").aget(pk=message.pk)
    )
    assert sent.state == Delivery.DELIVERED
    assert receipt.number in request_.sent()[-1]["text"]
