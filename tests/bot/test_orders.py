"""Commands that work on every channel, without the dialogue engine, and whoever has the conversation."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from asgiref.sync import sync_to_async

from bot import api, outbox, own_data, store
from bot.app import build_app
from bot.models import Conversation, Delivery, Handler, Message, Turn
from bot.orders import COMMANDS, typed_order
from bot.outbox import Outbox
from bot.replies import FORGET
from bot.store import Incoming
from desk import tickets
from desk.models import TicketEvent
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)
OWN = sorted(command for command, order in COMMANDS.items() if not order.startswith("/"))


def said(text: str = "", chat: str = "c1", number: object = 1, channel: str = "web", **fields) -> Incoming:
    return Incoming(channel=channel, chat_id=chat, external_id=f"{chat}-{number}", text=text, **fields)


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        ("/mydata", "mydata"),
        ("  /MyData ", "mydata"),
        ("/privacy@TestNameBot", "privacy"),
        ("/withdraw MT-2026-0042", "withdraw:MT-2026-0042"),
        ("/withdraw@TestNameBot MT-2026-0042", "withdraw:MT-2026-0042"),
        ("/language ko", "language:ko"),
        ("/help", "/help"),
        ("/cancel", "/cancel"),
        ("/forget yes", None),
        ("/forget:yes", None),
        ("/reply:MT-2026-0001", None),
        ("/restart", None),
        ("/human I need somebody", None),
        ('/handoff{"kind":"press"}', None),
        ("what does /mydata do?", None),
        ("mydata", None),
        ("", None),
    ],
)
def test_only_the_commands_of_the_menu_are_orders(typed: str, order: str | None) -> None:
    assert typed_order(typed) == order


@pytest.mark.parametrize("command", OWN)
@pytest.mark.parametrize("channel", ["web", "telegram", "terminal"])
async def test_our_own_commands_are_answered_without_rasa(bot_desk, rasa, memory, command, channel) -> None:
    rasa.error = httpx.ConnectError("refused")
    result = await bot_desk.handle(said(f"/{command}", channel=channel, hint="fr"))
    assert (result.outcome, result.language) == ("small_talk", "fr")
    assert result.replies[0]["text"]
    assert rasa.sent == []


async def test_they_work_while_staff_have_the_conversation(bot_desk, rasa, memory, officer) -> None:
    await bot_desk.handle(said("hello there", channel="telegram"))
    conversation = await Conversation.objects.aget()
    ticket = await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language="en", words="Help!")
    await sync_to_async(tickets.take_over)(ticket, officer)
    result = await bot_desk.handle(said("/mydata", number=2, channel="telegram"))
    assert ticket.number in result.replies[0]["text"]
    # The staff hear nothing of it, and the gate of the outbox lets it out; a machine's answer it would drop.
    assert not await TicketEvent.objects.filter(type=TicketEvent.Type.MESSAGE).aexists()
    claimed = await sync_to_async(outbox.claim)(result.replies[0]["id"])
    assert claimed is not None
    turn = await Turn.objects.acreate(conversation=conversation, language="en", outcome="answered", intent="ask")
    other = await Message.objects.acreate(conversation=conversation, turn=turn, author="bot", text="x")
    assert await sync_to_async(outbox.claim)(other.pk) is None
    await other.arefresh_from_db()
    assert other.state == Delivery.DROPPED
    # An ordinary message still goes to the person who has the conversation.
    assert (await bot_desk.handle(said("any news?", number=3, channel="telegram"))).replies == []
    assert (await Conversation.objects.aget()).handler == Handler.STAFF


async def test_an_open_form_stays_open(bot_desk, rasa, memory) -> None:
    rasa.items = [
        {"text": "Which outlet?"},
        {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
    ]
    await bot_desk.handle(said("I would like an interview"))
    assert (await bot_desk.handle(said("/mydata", number=2))).form == "press"


@pytest.mark.parametrize("language", CODES)
async def test_privacy_says_what_is_kept_how_long_and_how_to_get_rid_of_it(bot_desk, settings, language) -> None:
    settings.RETENTION_DAYS, settings.RETENTION_TICKETS_DAYS = 181, 731
    [reply] = (await bot_desk.handle(said("/privacy", language=language))).replies
    for part in ("181", "731", "91/2025/QH15", "/mydata", "/forget", "/withdraw"):
        assert part in reply["text"]
    assert len(reply["buttons"]) == 2


@pytest.mark.parametrize("language", CODES)
async def test_mydata_tells_what_is_held(bot_desk, rasa, memory, language) -> None:
    await bot_desk.handle(said("When does the pagoda open?", language=language))
    conversation = await Conversation.objects.aget()
    await Conversation.objects.aupdate(timezone="Europe/Paris")
    await sync_to_async(memory.write)(conversation.sender, "a", "b", "c")
    fields = {"name": "Sarah Miller", "format": "interview", "contact": "chat", "contact_label": "in this chat"}
    ticket = await sync_to_async(tickets.open_ticket)(
        "press", conversation=conversation, language="en", words="May I film?", fields=fields
    )
    await sync_to_async(tickets.open_ticket)("press", conversation=None, language="en", words="Somebody else's")
    [reply] = (await bot_desk.handle(said("/mydata", number=2))).replies
    for part in (ticket.number, "May I film?", "Sarah Miller, interview, in this chat", "Europe/Paris", "3"):
        assert part in reply["text"]
    assert "Somebody else" not in reply["text"]


def test_the_count_is_what_is_there(memory) -> None:
    conversation = Conversation.objects.create(channel="web", chat_id="c")
    update, _ = store.receive(said("hi", chat="c"))
    Message.objects.create(conversation=conversation, author="user", text="hi", state="delivered")
    Message.objects.create(conversation=conversation, author="bot", text="hello", state="delivered")
    memory.write(conversation.sender, "hi")
    assert own_data.count(conversation) == {
        "messages": 2,
        "own": 1,
        "turns": 0,
        "updates": 1,
        "buttons": 0,
        "memory": 1,
    }


async def test_the_web_chat_downloads_everything(bot_desk, rasa, memory) -> None:
    app = build_app()
    app.state.desk, app.state.outbox, app.state.telegram = bot_desk, Outbox(0.05), None
    app.state.limiter = api.Limiter("100/minute", "memory://")
    await bot_desk.handle(said("When does it open?", chat="mine"))
    await bot_desk.handle(said("A secret of another", chat="theirs"))
    conversation = await Conversation.objects.aget(chat_id="mine")
    ticket = await sync_to_async(tickets.open_ticket)(
        "other", conversation=conversation, language="en", words="My lamp", fields={"name": "Ann"}
    )
    await sync_to_async(tickets.record_message)(ticket, "It is still dark.")
    await sync_to_async(memory.write)(conversation.sender, "When does it open?")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        response = await client.get("/api/mydata", params={"conversation": "mine"})
        unknown = await client.get("/api/mydata", params={"conversation": "nobody"})
        wrong = await client.get("/api/mydata")
        described = (await client.get("/api/openapi.json")).json()["paths"]
    body = response.json()
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["cache-control"] == "no-store"
    assert [each["text"] for each in body["transcript"]] == ["When does it open?", "Xin chào!"]
    assert body["requests"][0]["form"] == {"name": "Ann"}
    assert body["requests"][0]["further_words"][0]["text"] == "It is still dark."
    assert json.loads(body["memory"][0]) == {"text": "When does it open?"}
    assert "secret" not in response.text
    assert (unknown.status_code, unknown.json()["conversation"]) == (200, None)
    assert not await Conversation.objects.filter(chat_id="nobody").aexists()
    assert wrong.status_code == 400
    assert "/api/mydata" in described


def test_the_page_offers_the_same_orders() -> None:
    script = (Path(own_data.__file__).parent / "web" / "chat.js").read_text(encoding="utf-8")
    assert '"/forget"' in script
    assert FORGET not in script
