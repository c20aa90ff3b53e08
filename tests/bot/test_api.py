"""The JSON API over the real application, without a server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from bot import api
from bot.app import build_app
from bot.models import Conversation, Message, Turn
from bot.outbox import Outbox
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)
NOT_THE_FORM = {
    "vi": "Yêu cầu",
    "en": "The request",
    "zh": "请求",
    "ko": "요청",
    "ja": "リクエスト",
    "fr": "La requête",
    "ru": "Неверный",
}


@pytest.fixture
async def client(bot_desk) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app()
    app.state.desk, app.state.outbox, app.state.telegram = bot_desk, Outbox(0.05), None
    app.state.limiter = api.Limiter("1000/minute", "memory://")
    app.state.stopping = asyncio.Event()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        client.app = app  # type: ignore[attr-defined]
        yield client


async def test_a_question_is_answered_in_the_documented_form(client, rasa, pagoda) -> None:
    rasa.answers("pagoda-hours")
    response = await client.post(
        "/api/messages", json={"conversation": "c", "text": "When does the pagoda open?", "language": None}
    )
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"outcome", "language", "form", "ticket", "replies"}
    assert (body["outcome"], body["language"]) == ("answered", "en")
    described = (await client.get("/api/openapi.json")).json()["components"]["schemas"]["Reply"]
    assert set(described["required"]) <= set(body["replies"][0])
    assert set(body["replies"][0]) <= set(described["properties"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty body"),
        pytest.param(b"{", id="malformed"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"[" * 50_000, id="deeply nested"),
        pytest.param(b"\xff\xfe", id="no text at all"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(b'{"conversation": "c"}', id="neither text nor button"),
        pytest.param(b'{"conversation": "c", "text": "x", "button": "y"}', id="both"),
        pytest.param(b'{"conversation": "", "text": "x"}', id="empty conversation"),
        pytest.param(b'{"conversation": 7, "text": "x"}', id="conversation is a number"),
        pytest.param(b'{"conversation": "c", "text": ["x"]}', id="text is a list"),
        pytest.param(b'{"conversation": "c", "text": "x", "language": "tlh"}', id="unknown language"),
        pytest.param(
            b'{"conversation": "c", "text": "x", "message_id": "%s"}' % (b"m" * 201), id="long message id"
        ),
        pytest.param(b'{"conversation": "%s", "text": "x"}' % (b"c" * 201), id="long conversation"),
        pytest.param(b'{"conversation": "c", "text": "%s"}' % (b"x" * 70_000), id="too large"),
    ],
)
async def test_a_request_in_the_wrong_form_is_refused_with_what_is_wrong(client, body) -> None:
    response = await client.post("/api/messages", content=body, headers={"Accept-Language": "en"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"
    assert len(response.json()["error"]["message"]) > len("The request is not in the right form: ")
    assert await Conversation.objects.acount() == 0


@pytest.mark.parametrize("language", CODES)
async def test_errors_speak_the_readers_language(client, language) -> None:
    response = await client.post(
        "/api/messages", content=b"{", headers={"Accept-Language": f"{language}-XX,en;q=0.5"}
    )
    assert response.json()["error"]["message"].startswith(NOT_THE_FORM[language])


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30, "٣"])
async def test_a_reader_with_a_wrong_place_is_refused(client, after) -> None:
    for path in ("/api/messages", "/api/events"):
        assert (await client.get(path, params={"conversation": "c", "after": after})).status_code == 400
    assert (await client.get("/api/messages")).status_code == 400


@pytest.fixture
def mid_minute(monkeypatch) -> None:
    """Stop the wall clock in the middle of a minute: a window that ends during a test forgets hits, rightly."""
    monkeypatch.setattr(time, "time", lambda: 1_800_000_030.0)


async def test_who_sends_too_much_is_told_when_to_come_back(client, mid_minute) -> None:
    client.app.state.limiter = api.Limiter("2/minute", "memory://")
    for _ in range(2):
        assert (
            await client.post("/api/messages", json={"conversation": "c", "text": "hello"})
        ).status_code == 200
    refused = await client.post(
        "/api/messages", json={"conversation": "c", "text": "hello"}, headers={"Accept-Language": "ko"}
    )
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.headers["retry-after"] in refused.json()["error"]["message"]
    assert (
        await client.post("/api/messages", json={"conversation": "other", "text": "hello"})
    ).status_code == 200


async def test_one_address_cannot_open_conversations_without_end(client, mid_minute) -> None:
    client.app.state.limiter = api.Limiter("1/minute", "memory://")
    statuses = [
        (await client.post("/api/messages", json={"conversation": f"c{n}", "text": "hello"})).status_code
        for n in range(11)
    ]
    assert statuses == [200] * 10 + [429]


async def test_a_busy_database_is_said_so_and_the_message_can_be_sent_again(
    client, rasa, monkeypatch
) -> None:
    from bot import store

    original = store.commit_turn
    monkeypatch.setattr(
        store, "commit_turn", lambda *a, **k: (_ for _ in ()).throw(OperationalError("database is locked"))
    )
    said = {"conversation": "c", "text": "hello", "message_id": "m1"}
    busy = await client.post("/api/messages", json=said)
    assert (busy.status_code, busy.json()["error"]["code"], busy.headers["retry-after"]) == (503, "busy", "5")
    monkeypatch.setattr(store, "commit_turn", original)
    again = await client.post("/api/messages", json=said)
    assert (again.status_code, again.json()["outcome"]) == (200, "small_talk")
    assert await Turn.objects.acount() == 1


async def test_a_message_id_names_a_message_within_its_conversation_only(client, rasa) -> None:
    for conversation in ("c1", "c1", "c2"):
        said = {"conversation": conversation, "text": "hello", "message_id": "m1"}
        assert (await client.post("/api/messages", json=said)).status_code == 200
    assert await Turn.objects.acount() == 2


async def test_a_text_that_no_database_takes_is_stored_and_answered(client, rasa) -> None:
    raw = json.dumps({"conversation": "c\ud800\x00", "text": "hello \ud83d there\x00!"})
    response = await client.post("/api/messages", content=raw)
    assert (response.status_code, response.json()["outcome"]) == (200, "small_talk")
    stored = (await Message.objects.aget(author="user")).text
    stored.encode("utf-8")
    assert "\x00" not in stored
    assert "hello" in rasa.sent[0]["message"]
    fetched = await client.get("/api/messages", params={"conversation": "c?\x00"})
    assert fetched.status_code == 200


async def test_an_unknown_button_is_answered_politely(client, rasa) -> None:
    response = await client.post("/api/messages", json={"conversation": "c", "button": "b" * 500})
    assert (response.status_code, response.json()["outcome"]) == (200, "refused")


async def test_what_was_said_can_be_fetched_again_after_any_reply(client, rasa) -> None:
    ids = []
    for number in range(3):
        body = (
            await client.post("/api/messages", json={"conversation": "c", "text": f"hello {number}"})
        ).json()
        ids.append(body["replies"][0]["id"])
    later = (await client.get("/api/messages", params={"conversation": "c", "after": ids[0]})).json()[
        "replies"
    ]
    assert [reply["id"] for reply in later] == ids[1:]
    assert (await client.get("/api/messages", params={"conversation": "nobody"})).json()["replies"] == []


async def test_a_conversation_cannot_be_read_under_another_name(client, rasa) -> None:
    await client.post("/api/messages", json={"conversation": "secret", "text": "hello"})
    for guess in ("secre", "secret ", "%", "telegram"):
        assert (await client.get("/api/messages", params={"conversation": guess})).json()["replies"] == []


async def test_the_webhook_does_not_exist_without_telegram(client) -> None:
    assert (await client.post("/telegram/webhook", json={"update_id": 1})).status_code == 404


async def test_the_page_allows_frames_only_where_the_settings_say(client, settings) -> None:
    response = await client.get("/api/openapi.json")
    assert response.json()["openapi"].startswith("3.1")
    health = await client.get("/healthz")
    assert health.json() == {"status": "ok", "telegram": "off"}


async def test_two_requests_in_one_conversation_at_once_are_both_answered(client, rasa) -> None:
    rasa.during = lambda: asyncio.sleep(0.02)
    responses = await asyncio.gather(
        *(client.post("/api/messages", json={"conversation": "c", "text": f"hello {n}"}) for n in range(4))
    )
    assert [response.status_code for response in responses] == [200] * 4
    assert await sync_to_async(Turn.objects.count)() == 4
