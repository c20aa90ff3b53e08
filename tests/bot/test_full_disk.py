"""A full disk and a Telegram that is gone for an hour: people are told, and what was taken stays."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from bot import api
from bot.app import build_app
from bot.models import Author, Conversation, Delivery, Message, Turn, Update
from bot.outbox import Outbox, Sent, claim, due, settle
from desk import files
from desk.models import FileState, TicketFile

pytestmark = pytest.mark.django_db(transaction=True)
FORM = [
    {"text": "Which?"},
    {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
]


@pytest.fixture
async def client(bot_desk, settings, tmp_path) -> AsyncIterator[httpx.AsyncClient]:
    settings.FILES_ROOT = tmp_path / "files"
    app = build_app()
    app.state.desk, app.state.outbox, app.state.telegram = bot_desk, Outbox(0.05), None
    app.state.limiter = api.Limiter("1000/minute", "memory://")
    app.state.stopping = asyncio.Event()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        yield client


def _pages(limit: int | None = None) -> int:
    """Bound the database's file to its present size (or lift the bound), as a full disk does."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count={limit or pages}")
    return pages


@pytest.fixture
def fill_disk() -> Iterator[None]:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own bound stands for the full disk; PostgreSQL has none")
    yield
    _pages(2**30)


async def test_on_a_full_disk_the_sender_is_told_and_sending_again_works_later(client, rasa, fill_disk) -> None:
    said = {"conversation": "c", "text": "x" * 900, "message_id": "m1"}
    await client.post("/api/messages", json={"conversation": "c", "text": "hello"})
    before = await Update.objects.acount()
    await sync_to_async(_pages)()
    refused = None
    for number in range(200):  # free pages inside the file take a few more messages
        response = await client.post("/api/messages", json={**said, "message_id": f"fill {number}"})
        if response.status_code != 200:
            refused = response, f"fill {number}"
            break
    assert refused, "the disk was never full"
    response, name = refused
    assert (response.status_code, response.json()["error"]["code"]) == (503, "busy")
    await sync_to_async(_pages)(2**30)
    again = await client.post("/api/messages", json={**said, "message_id": name})
    assert again.status_code == 200
    taken = await Update.objects.acount() - before
    assert await Turn.objects.acount() == taken + 1, "each message that was taken has one turn, none has half of one"
    assert await Message.objects.filter(author=Author.USER).acount() == taken + 1


async def test_a_file_that_the_disk_does_not_take_is_not_half_kept(client, rasa, monkeypatch, settings) -> None:
    rasa.items = FORM
    await client.post("/api/messages", json={"conversation": "c", "text": "I would like an interview"})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    send = {"params": {"conversation": "c", "name": "a.pdf", "message_id": "m"}, "content": b"%PDF-1.7 x"}
    with monkeypatch.context() as patch:
        patch.setattr(files.Path, "replace", full)
        response = await client.post("/api/files", **send)
    assert response.status_code == 503
    assert not [path for path in settings.FILES_ROOT.rglob("*") if path.is_file()]
    assert not await TicketFile.objects.aexists()
    assert (await client.post("/api/files", **send)).json()["outcome"] == "form"
    assert await TicketFile.objects.filter(state=FileState.STORED).acount() == 1


def test_an_hour_without_telegram_delays_an_answer_and_sends_it_once(monkeypatch) -> None:
    now = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    conversation = Conversation.objects.create(channel="telegram", chat_id="1", language="en")
    payload = {"text": "Yes.", "buttons": [], "language": "en"}
    Message.objects.create(conversation=conversation, author=Author.STAFF, text="Yes.", payload=payload)
    back, tries, arrived = now[0] + dt.timedelta(hours=1), 0, 0
    while now[0] < back + dt.timedelta(minutes=5):
        for ids in due("telegram").values():
            message = claim(ids[0])
            if now[0] < back:
                tries += 1
                settle(message, Sent(Delivery.QUEUED, error="no route", retry_in=min(2.0**message.attempts, 60.0)))
            else:
                arrived += 1
                settle(message, Sent(Delivery.DELIVERED, external_id="7"))
        now[0] += dt.timedelta(seconds=1)
    assert (arrived, Message.objects.get().state) == (1, Delivery.DELIVERED)
    assert 60 <= tries < 90, "about once a minute"
