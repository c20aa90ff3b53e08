"""Real updates through the real application: what reaches the desk."""

from __future__ import annotations

import asyncio
import warnings

import pytest
from django.db import OperationalError

from bot import store
from bot.models import Conversation, Message, Turn, Update
from desk.models import TicketFile

pytestmark = pytest.mark.django_db(transaction=True)


async def worked_off(channel) -> None:
    while channel._tasks:
        await asyncio.gather(*channel._tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("text_ko", {"text": "빈짱 사원은 몇 시에 열어요?", "hint": "ko"}),
        ("edited_text", {"text": "빈짱 사원은 어디에 있어요?", "hint": "ko", "edited": True}),
        ("command_start", {"order": "/greet", "hint": "ko"}),
        ("command_language", {"order": "language", "hint": "ko"}),
        ("photo", {"file": "PHOTO", "hint": "ko"}),
        ("photo_with_caption", {"text": "이 사원은 몇 시에 열어요?", "file": "PHOTO", "hint": "ko"}),
        ("voice", {"media": "attachment", "hint": "ko"}),
        ("location", {"media": "attachment", "hint": "ko"}),
        ("button", {"button": "bJ3kQ0w9x2LmT4a", "hint": "ko"}),
        ("group_mention", {"text": "  chùa Vĩnh Tràng mở cửa lúc nào?", "hint": "ko"}),
        ("group_reply", {"text": "còn buổi chiều?", "hint": "ko"}),
        ("added_to_group", {"order": "group:TestNameBot", "hint": "ko"}),
        ("typed_order", {"text": '/handoff@1.0{"kind":"press"}', "hint": "ko"}),
    ],
)
async def test_an_update_is_stored_as_what_it_means(channel, update, name, payload) -> None:
    await channel.take(update(name))
    stored = await Update.objects.select_related("conversation").aget()
    if "file" in payload:
        file = await TicketFile.objects.aget(pk=stored.payload["file"])
        assert file.external_id == update(name)["message"]["photo"][-1]["file_id"]
        payload = {**payload, "file": file.pk}
    assert stored.payload == payload
    assert stored.external_id == str(update(name)["update_id"])
    await worked_off(channel)
    assert await Turn.objects.acount() == 1


@pytest.mark.parametrize(
    "name",
    [
        "group_text",
        "group_command_for_another_bot",
        "channel_post",
        "from_a_bot",
        "reaction",
        "pinned_message",
        "blocked",
    ],
)
async def test_what_is_not_meant_for_us_is_left_alone(channel, update, name) -> None:
    await channel.take(update(name))
    await worked_off(channel)
    assert await Update.objects.acount() == 0


async def test_a_mention_counts_even_in_a_reply_to_somebody_else(channel, update) -> None:
    raw = update("group_mention")
    somebody = {"id": 9, "is_bot": False, "first_name": "An"}
    raw["message"]["reply_to_message"] = {
        "message_id": 1,
        "from": somebody,
        "chat": raw["message"]["chat"],
        "date": 1,
        "text": "?",
    }
    await channel.take(raw)
    assert await Update.objects.acount() == 1


async def test_an_update_is_stored_before_it_is_worked_off(channel, update, monkeypatch) -> None:
    held = asyncio.Event()
    original = channel.desk.work_off

    async def later(*args, **kwargs):
        await held.wait()
        return await original(*args, **kwargs)

    monkeypatch.setattr(channel.desk, "work_off", later)
    await channel.take(update("text_ko"))
    assert await Update.objects.filter(state="received").acount() == 1
    assert await Turn.objects.acount() == 0
    held.set()
    await worked_off(channel)
    assert await Turn.objects.acount() == 1


async def test_a_repeated_update_is_dropped(channel, update) -> None:
    for _ in range(3):
        await channel.take(update("text_ko"))
    await worked_off(channel)
    assert (await Update.objects.acount(), await Turn.objects.acount(), len(channel.asked)) == (1, 1, 1)


async def test_an_update_that_cannot_be_stored_is_not_acknowledged(channel, update, monkeypatch) -> None:
    def locked(*_):
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(store, "receive", locked)
        with pytest.raises(RuntimeError, match="900001 could not be stored"):
            await channel.take(update("text_ko"))
    await channel.take(update("text_ko"))
    assert await Update.objects.acount() == 1


async def test_an_update_that_meets_a_locked_database_later_is_tried_again(
    channel, update, monkeypatch
) -> None:
    monkeypatch.setattr("bot.telegram.channel.RETRY_SECONDS", 0.01)
    original, calls = store.commit_turn, []

    def locked_once(*args, **kwargs):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("database is locked")
        return original(*args, **kwargs)

    monkeypatch.setattr(store, "commit_turn", locked_once)
    await channel.take(update("text_ko"))
    await worked_off(channel)
    assert await Turn.objects.acount() == 1


@pytest.mark.parametrize(
    "raw", [{}, {"update_id": 1, "message": {"text": "x"}}, {"update_id": 1, "message": "x"}, {"message": {}}]
)
async def test_what_is_no_update_is_refused_with_a_clear_error(channel, raw) -> None:
    with pytest.raises(ValueError, match=r"\w+Error: "):
        await channel.take(raw)


async def test_a_pressed_button_stops_spinning_even_when_telegram_says_it_is_too_old(
    channel, update, request_
) -> None:
    request_.fail("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await channel.take(update("button"))
        await worked_off(channel)
    assert request_.sent("answerCallbackQuery") == [{"callback_query_id": "4382bfdwdsb323b2d9"}]
    assert await Turn.objects.filter(outcome="refused").acount() == 1


async def test_somebody_who_blocked_us_is_unreachable_until_they_come_back(channel, update) -> None:
    await channel.take(update("text_ko"))
    await worked_off(channel)
    await channel.take(update("blocked"))
    assert (await Conversation.objects.aget()).unreachable
    await channel.take(update("unblocked"))
    assert not (await Conversation.objects.aget()).unreachable


async def test_the_typing_indicator_shows_while_a_slow_answer_is_made(channel, update, request_, monkeypatch) -> None:
    monkeypatch.setattr("bot.telegram.channel.TYPING_AFTER_SECONDS", 0.0)
    quick = channel.desk.work_off

    async def slow(*args, **options):
        await asyncio.sleep(0.1)
        return await quick(*args, **options)

    monkeypatch.setattr(channel.desk, "work_off", slow)
    await channel.take(update("text_ko"))
    await worked_off(channel)
    assert request_.sent("sendChatAction") == [{"chat_id": "7001", "action": "typing"}]


async def test_a_quick_answer_needs_no_typing_indicator(channel, update, request_) -> None:
    await channel.take(update("text_ko"))
    await worked_off(channel)
    assert request_.sent("sendChatAction") == []


async def test_messages_of_one_chat_are_answered_in_order(channel, update) -> None:
    for number in range(4):
        raw = update("text_ko", update_id=number + 1)
        raw["message"]["text"] = f"hello {number}"
        await channel.take(raw)
    await worked_off(channel)
    assert [item["message"] for item in channel.asked] == [f"hello {n}" for n in range(4)]
    assert await Message.objects.filter(author="user").acount() == 4


async def test_the_secret_is_compared_whole(channel, settings) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = "s" * 20
    assert channel.secret_matches("s" * 20)
    assert not channel.secret_matches("s" * 19)
    assert not channel.secret_matches("")
    assert not channel.secret_matches("ß" * 20)
