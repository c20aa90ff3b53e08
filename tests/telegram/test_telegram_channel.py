"""Starting, polling, menus: the channel over the offline request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from bot import store
from bot.models import Turn, Update
from bot.store import Incoming
from bot.telegram.sender import TelegramSender
from nlu.languages import LANGUAGES

pytestmark = pytest.mark.django_db(transaction=True)


async def until(condition) -> None:
    async with asyncio.timeout(3):
        while not await condition():
            await asyncio.sleep(0.01)


class Feed:
    """getUpdates as Telegram keeps it: an update comes again until a later offset confirms it."""

    def __init__(self, request_: Any, *updates: dict[str, Any]) -> None:
        self.updates, self.offsets = list(updates), []
        original = request_._result

        def result(name: str, parameters: dict[str, Any]) -> Any:
            if name != "getUpdates":
                return original(name, parameters)
            self.offsets.append(parameters.get("offset"))
            self.updates = [
                each for each in self.updates if each["update_id"] >= (parameters.get("offset") or 0)
            ]
            return self.updates

        request_._result = result


@pytest.fixture
def slow_polling(request_, monkeypatch) -> None:
    original = request_.do_request

    async def do_request(url: str, method: str, request_data=None, **rest):
        if url.endswith("/getUpdates"):
            await asyncio.sleep(0.01)
        return await original(url, method, request_data, **rest)

    monkeypatch.setattr(request_, "do_request", do_request)


async def test_menus_are_published_in_every_language_and_one_for_the_rest(
    channel, request_, slow_polling
) -> None:
    await channel.start()
    menus = request_.sent("setMyCommands")
    assert [menu.get("language_code") for menu in menus] == [
        None,
        *(language.telegram for language in LANGUAGES),
    ]
    for menu in menus:
        commands = json.loads(menu["commands"]) if isinstance(menu["commands"], str) else menu["commands"]
        assert [command["command"] for command in commands] == [
            "start",
            "help",
            "human",
            "language",
            "privacy",
            "mydata",
            "forget",
            "withdraw",
        ]
        assert all(command["description"] for command in commands)
    await channel.stop()


async def test_refused_menus_do_not_keep_the_bot_from_starting(channel, request_, slow_polling) -> None:
    request_.fail("setMyCommands", 400, "Bad Request: no")
    await channel.start()
    assert request_.sent("deleteWebhook")
    await channel.stop()


async def test_polling_confirms_an_update_only_after_it_is_stored(
    channel, request_, update, slow_polling, monkeypatch
) -> None:
    feed = Feed(request_, update("text_ko"))
    refused = []
    original = store.receive

    def receive(incoming):
        if not refused:
            refused.append(1)
            raise RuntimeError("disk full")
        return original(incoming)

    monkeypatch.setattr(store, "receive", receive)
    monkeypatch.setattr(
        "bot.telegram.channel.asyncio.sleep", lambda seconds, sleep=asyncio.sleep: sleep(min(seconds, 0.02))
    )
    await channel.start()
    await until(lambda: Turn.objects.aexists())
    await until(lambda: sync_to_async(lambda: 900002 in feed.offsets)())
    assert feed.offsets[:2] == [None, None]
    assert await Update.objects.acount() == 1
    await channel.stop()


async def test_what_a_crash_left_is_answered_after_the_start(channel, request_, slow_polling) -> None:
    await sync_to_async(store.receive)(
        Incoming(channel="telegram", chat_id="7001", external_id="1", text="hello")
    )
    channel.outbox.add("telegram", TelegramSender(channel.bot))
    running = asyncio.create_task(channel.outbox.run())
    await channel.start()
    await until(lambda: sync_to_async(lambda: bool(request_.sent()))())
    assert request_.sent()[0]["text"] == "Xin &lt;b&gt;chào&lt;/b&gt; &amp; tạm biệt!"
    running.cancel()
    await channel.stop()


async def test_with_a_webhook_address_telegram_is_told_it_and_the_secret(channel, request_, settings) -> None:
    settings.TELEGRAM_WEBHOOK_URL, settings.TELEGRAM_WEBHOOK_SECRET = "https://chat.example.org", "s" * 20
    await channel.start()
    [hook] = request_.sent("setWebhook")
    assert (hook["url"], hook["secret_token"]) == ("https://chat.example.org/telegram/webhook", "s" * 20)
    assert request_.sent("getUpdates") == []
    await channel.stop()


async def test_a_poisonous_update_does_not_stop_the_ones_behind_it(
    channel, request_, update, slow_polling, monkeypatch
) -> None:
    Feed(request_, update("text_ko"), update("edited_text"))
    original = store.receive

    def receive(incoming):
        if incoming.external_id == "900001":
            raise TypeError("a bug that this update brings out every time")
        return original(incoming)

    monkeypatch.setattr(store, "receive", receive)
    monkeypatch.setattr(
        "bot.telegram.channel.asyncio.sleep", lambda seconds, sleep=asyncio.sleep: sleep(min(seconds, 0.02))
    )
    await channel.start()
    await until(lambda: Turn.objects.aexists())
    await channel.stop()
