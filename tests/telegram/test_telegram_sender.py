"""What the outbox hands over, as Telegram gets it; and what Telegram's refusals become."""

from __future__ import annotations

import json

import httpx
import pytest
from asgiref.sync import sync_to_async
from telegram.error import NetworkError, TimedOut

from bot.models import Conversation, Delivery, Message
from bot.telegram import render
from bot.telegram.sender import TelegramSender
from desk.models import Ticket
from knowledge import media

pytestmark = pytest.mark.django_db(transaction=True)
ANSWER = {
    "text": "Giá < 20.000 đ & miễn phí cho trẻ em",
    "buttons": [],
    "entry": "x",
    "language": "vi",
    "fallback": False,
    "outdated": False,
    "source": {"title": "Cổng <tỉnh>", "url": "https://example.org/?a=1&b=2"},
    "verified_on": "2026-11-05",
    "place": {"name": "Chùa Vĩnh Tràng", "latitude": 10.36, "longitude": 106.37, "address": "Mỹ Tho"},
}


@pytest.fixture
def sender(application) -> TelegramSender:
    return TelegramSender(application.bot)


@sync_to_async
def message(reply: dict, **fields) -> Message:
    conversation, _ = Conversation.objects.get_or_create(
        channel="telegram", chat_id="7001", defaults={"language": "vi"}
    )
    made = Message.objects.create(
        conversation=conversation, author=fields.pop("author", "bot"), payload=reply, **fields
    )
    return Message.objects.select_related("conversation", "ticket").get(pk=made.pk)


async def test_an_answer_is_escaped_html_with_its_source_linked(sender, request_) -> None:
    sent = await sender(await message(ANSWER))
    assert (sent.state, bool(sent.external_id)) == (Delivery.DELIVERED, True)
    [call] = request_.sent()
    assert call["parse_mode"] == "HTML"
    assert call["text"] == (
        "Giá &lt; 20.000 đ &amp; miễn phí cho trẻ em\n\n"
        '<i>📍 <a href="https://www.openstreetmap.org/?mlat=10.36&amp;mlon=106.37#map=17/10.36/106.37">'
        "Mỹ Tho</a></i>\n"
        '<i>Nguồn: <a href="https://example.org/?a=1&amp;b=2">Cổng &lt;tỉnh&gt;</a> '
        "· kiểm tra ngày 05/11/2026</i>"
    )


async def test_a_place_comes_with_a_map_pin(sender, request_) -> None:
    await sender(await message(ANSWER))
    [pin] = request_.sent("sendVenue")
    assert (pin["latitude"], pin["longitude"], pin["title"]) == (10.36, 106.37, "Chùa Vĩnh Tràng")


async def test_a_pin_that_telegram_refuses_does_not_undo_the_answer(sender, request_) -> None:
    request_.fail("sendVenue", 400, "Bad Request: wrong coordinates")
    assert (await sender(await message(ANSWER))).state == Delivery.DELIVERED


async def test_html_that_telegram_refuses_is_sent_again_as_plain_text(sender, request_) -> None:
    request_.fail("sendMessage", 400, "Bad Request: can't parse entities")
    assert (await sender(await message(ANSWER))).state == Delivery.DELIVERED
    _, plain = request_.sent()
    assert "parse_mode" not in plain
    assert plain["text"].startswith("Giá < 20.000 đ & miễn phí")
    assert "https://example.org/?a=1&b=2" in plain["text"]


async def test_a_long_text_is_split_under_the_limit_with_the_buttons_under_the_last_piece(
    sender, request_
) -> None:
    reply = {
        "text": "Một câu dài. " * 700,
        "buttons": [{"id": "b1", "label": "Gặp cán bộ"}],
        "language": "vi",
    }
    assert (await sender(await message(reply))).state == Delivery.DELIVERED
    calls = request_.sent()
    assert len(calls) == 3
    assert all(0 < len(call["text"]) <= 4096 for call in calls)
    assert " ".join(call["text"] for call in calls).split() == reply["text"].split()
    assert ["reply_markup" in call for call in calls] == [False, False, True]


async def test_buttons_have_short_opaque_ids_and_readable_labels(sender, request_) -> None:
    reply = {
        "text": "?",
        "buttons": [{"id": "b" + "x" * 15, "label": "Chùa Vĩnh Tràng " * 10}],
        "language": "vi",
    }
    await sender(await message(reply))
    markup = request_.sent()[0]["reply_markup"]
    [[button]] = (json.loads(markup) if isinstance(markup, str) else markup)["inline_keyboard"]
    assert len(button["callback_data"].encode()) <= 64
    assert len(button["text"]) <= 60
    assert button["text"].endswith("…")


async def test_an_answer_of_the_staff_names_them_and_the_ticket(sender, request_) -> None:
    ticket = await Ticket.objects.acreate(number="MT-2026-0007", kind="press", language="vi", words="w")
    await sender(
        await message({"text": "Chúng tôi sẽ gọi lại.", "language": "vi"}, author="staff", ticket=ticket)
    )
    assert request_.sent()[0]["text"].startswith(
        "Trả lời của cán bộ (MT-2026-0007):\n\nChúng tôi sẽ gọi lại."
    )


async def test_a_fallback_answer_says_which_language_it_is_in(sender, request_) -> None:
    reply = {**ANSWER, "language": "en", "fallback": True, "outdated": True}
    assert (await sender(await message(reply))).state == Delivery.DELIVERED
    assert "English" in request_.sent()[0]["text"]


async def test_too_many_requests_waits_as_long_as_telegram_says(sender, request_) -> None:
    request_.fail("sendMessage", 429, "Too Many Requests: retry after 7", retry_after=7)
    sent = await sender(await message(ANSWER))
    assert (sent.state, sent.retry_in) == (Delivery.QUEUED, 7.0)


async def test_a_blocked_bot_is_no_error_but_a_state(sender, request_) -> None:
    request_.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    assert (await sender(await message(ANSWER))).state == Delivery.BLOCKED


async def test_a_chat_that_does_not_exist_fails(sender, request_) -> None:
    for _ in range(2):
        request_.fail("sendMessage", 400, "Bad Request: chat not found")
    sent = await sender(await message(ANSWER))
    assert (sent.state, sent.retry_in) == (Delivery.FAILED, None)


@pytest.mark.parametrize(
    ("error", "cause", "state", "again"),
    [
        pytest.param(
            TimedOut(),
            httpx.ReadTimeout("late"),
            Delivery.UNCERTAIN,
            False,
            id="no answer came: it may have arrived",
        ),
        pytest.param(
            NetworkError("x"),
            httpx.ReadError("cut"),
            Delivery.UNCERTAIN,
            False,
            id="the line broke while we waited",
        ),
        pytest.param(
            NetworkError("x"), httpx.ConnectError("refused"), Delivery.QUEUED, True, id="nothing was sent"
        ),
        pytest.param(
            TimedOut(), httpx.ConnectTimeout("late"), Delivery.QUEUED, True, id="no connection in time"
        ),
        pytest.param(TimedOut(), httpx.PoolTimeout("busy"), Delivery.QUEUED, True, id="no free connection"),
    ],
)
async def test_only_what_surely_did_not_arrive_is_sent_again(
    sender, request_, error, cause, state, again
) -> None:
    request_.break_off("sendMessage", error, cause)
    sent = await sender(await message(ANSWER))
    assert (sent.state, sent.retry_in is not None) == (state, again)
    assert len(request_.sent()) == 1


async def test_a_server_error_of_telegram_is_tried_again(sender, request_) -> None:
    request_.fail("sendMessage", 502, "Bad Gateway")
    sent = await sender(await message(ANSWER))
    assert (sent.state, sent.retry_in is not None) == (Delivery.QUEUED, True)


@pytest.mark.parametrize(
    "text", ["a" * 9000, "b " * 5000, "c\n\n" * 3000, "x" * 4000 + "\n" + "y" * 4000, "một", ""]
)
def test_splitting_loses_no_word_and_keeps_the_limit(text: str) -> None:
    pieces = render.split(text)
    assert all(0 < len(piece) <= render.MAX_TEXT for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


FILES = [
    {"kind": "picture", "title": "The gate", "url": "/files/picture/7/3.jpg"},
    {"kind": "document", "title": "Brochure", "url": "/files/document/9/Brochure.pdf", "size": 1200},
]


@pytest.fixture
def kept(monkeypatch) -> dict:
    """Pictures and documents by (kind, number)."""
    files = {
        ("picture", 7): media.Given("gate.jpg", "image/jpeg", b"\xff\xd8 jpeg"),
        ("document", 9): media.Given("Brochure.pdf", "application/pdf", b"%PDF-1.4"),
    }
    monkeypatch.setattr(media, "read", lambda kind, number: files.get((kind, number)))
    return files


async def test_a_picture_and_a_brochure_follow_their_answer(sender, request_, kept) -> None:
    sent = await sender(await message({**ANSWER, "files": FILES}))
    assert sent.state == Delivery.DELIVERED
    assert "📄" in request_.sent()[0]["text"]
    assert [photo["caption"] for photo in request_.sent("sendPhoto")] == ["The gate"]
    assert len(request_.sent("sendDocument")) == 1


async def test_a_file_that_telegram_refuses_or_that_is_gone_does_not_undo_the_answer(sender, request_, kept) -> None:
    request_.fail("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    del kept[("document", 9)]
    assert (await sender(await message({**ANSWER, "files": FILES}))).state == Delivery.DELIVERED
    assert request_.sent("sendDocument") == []
