"""Files that askers send: what is kept, where, on which request, and what is said about it."""

from __future__ import annotations

import asyncio
import io
import stat
import zipfile
from collections.abc import AsyncIterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from PIL import Image

from bot import api
from bot.app import build_app
from bot.attachments import FetchError
from bot.models import Conversation, Handler, Message
from bot.outbox import Outbox
from bot.store import Incoming, SentFile
from desk import files, tickets
from desk.models import FileState, TicketEvent, TicketFile

pytestmark = pytest.mark.django_db(transaction=True)
FORM = [
    {"text": "Which outlet?"},
    {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
]


def picture(kind: str = "png") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, kind)
    return out.getvalue()


def word() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    return out.getvalue()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    return settings.FILES_ROOT


@pytest.fixture
async def client(bot_desk) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app()
    app.state.desk, app.state.outbox, app.state.telegram = bot_desk, Outbox(0.05), None
    app.state.limiter = api.Limiter("1000/minute", "memory://")
    app.state.stopping = asyncio.Event()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        yield client


async def send(client, data: bytes, name: str = "letter.pdf", **query: str):
    return await client.post("/api/files", params={"conversation": "c", "name": name, **query}, content=data)


async def begin_form(client, rasa) -> None:
    rasa.items = FORM
    await client.post("/api/messages", json={"conversation": "c", "text": "I would like an interview"})


@pytest.mark.parametrize("data", [PDF, picture("png"), picture("jpeg"), picture("webp"), word()])
async def test_a_file_sent_during_a_form_goes_with_its_ticket(client, rasa, folder, data) -> None:
    await begin_form(client, rasa)
    body = (await send(client, data, "thư giới thiệu.pdf")).json()
    assert (body["outcome"], body["form"]) == ("form", "press")
    assert "“thư giới thiệu.pdf”; it goes with your request" in body["replies"][0]["text"]
    conversation = await Conversation.objects.aget()
    ticket = await sync_to_async(tickets.open_ticket)("press", conversation=conversation, language="en", words="x")
    file = await TicketFile.objects.aget()
    assert (file.ticket_id, file.state, file.size) == (ticket.pk, FileState.STORED, len(data))
    stored = folder / file.path
    assert stored.read_bytes() == data
    assert "thư" not in file.path
    assert stat.S_IMODE(stored.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize(
    "data",
    [b"<html><script>alert(1)</script></html>", b"MZ" + bytes(300), b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>"],
    ids=["html", "exe", "empty", "svg"],
)
async def test_a_file_is_what_its_bytes_say_not_its_name(client, rasa, folder, data) -> None:
    await begin_form(client, rasa)
    body = (await send(client, data, "letter.pdf")).json()
    assert (body["outcome"], body["form"]) == ("refused", "press")
    assert "PDF, pictures" in body["replies"][0]["text"]
    assert (await TicketFile.objects.aget()).state == FileState.REFUSED
    assert not list(folder.rglob("*.*"))


async def test_a_file_that_is_too_large_is_refused_with_the_limit(client, rasa, settings, folder) -> None:
    settings.FILES_MAX_MB = 1
    await begin_form(client, rasa)
    body = (await send(client, PDF + bytes(1024 * 1024))).json()
    assert "up to 1 MB" in body["replies"][0]["text"]
    assert not folder.exists()


async def test_a_file_without_a_request_is_not_read_and_the_sender_is_told(client, folder) -> None:
    body = (await send(client, PDF)).json()
    assert body["outcome"] == "refused"
    assert "only read text" in body["replies"][0]["text"]
    assert not folder.exists()
    assert not await TicketFile.objects.aexists()


async def test_a_file_for_an_open_ticket_stands_in_its_history(client, rasa) -> None:
    await client.post("/api/messages", json={"conversation": "c", "text": "hello"})
    conversation = await Conversation.objects.aget()
    ticket = await sync_to_async(tickets.open_ticket)("complaint", conversation=conversation, language="en", words="x")
    body = (await send(client, picture(), "lamp.png")).json()
    assert (body["outcome"], body["ticket"]) == ("handed_off", ticket.number)
    line = await ticket.events.aget(type=TicketEvent.Type.FILE)
    file = await TicketFile.objects.aget(ticket=ticket)
    assert (line.text, line.data["sha256"]) == ("lamp.png", file.sha256)


async def test_a_person_who_has_the_conversation_gets_the_file_and_the_machine_is_silent(client) -> None:
    await client.post("/api/messages", json={"conversation": "c", "text": "hello"})
    conversation = await Conversation.objects.aget()
    await sync_to_async(tickets.open_ticket)("complaint", conversation=conversation, language="en", words="x")
    await Conversation.objects.aupdate(handler=Handler.STAFF)
    body = (await send(client, picture(), "lamp.png")).json()
    assert body["replies"] == []
    assert (await Message.objects.filter(author="user").alast()).text == "📎 lamp.png"
    assert await TicketFile.objects.filter(ticket__isnull=False, state=FileState.STORED).acount() == 1


async def test_the_same_upload_twice_is_kept_once(client, rasa) -> None:
    await begin_form(client, rasa)
    first, second = [(await send(client, PDF, message_id="m1")).json() for _ in range(2)]
    assert first == second
    assert await TicketFile.objects.acount() == 1


async def test_an_eleventh_file_is_refused(client, rasa) -> None:
    await begin_form(client, rasa)
    said = [(await send(client, PDF, f"{number}.pdf")).json()["replies"][0]["text"] for number in range(11)]
    assert "ten files already" in said[10]
    assert await TicketFile.objects.filter(state=FileState.STORED).acount() == 10


async def test_a_telegram_file_is_fetched_and_one_that_cannot_be_is_said_so(bot_desk, rasa) -> None:
    fetched = []

    async def fetch(name: str) -> bytes:
        fetched.append(name)
        if name == "gone":
            raise FetchError("file is no longer there")
        return PDF

    bot_desk.attachments.fetchers["telegram"] = fetch
    rasa.items = FORM

    def incoming(number: int, **fields) -> Incoming:
        return Incoming(channel="telegram", chat_id="1", external_id=str(number), hint="en", **fields)

    await bot_desk.handle(incoming(1, text="I would like an interview"))
    kept = await bot_desk.handle(incoming(2, file=SentFile(external_id="AgAD", name="../../etc/letter.pdf", size=40)))
    assert kept.outcome == "form"
    file = await TicketFile.objects.aget(state=FileState.STORED)
    assert (file.name, fetched) == ("letter.pdf", ["AgAD"])
    lost = await bot_desk.handle(incoming(3, file=SentFile(external_id="gone", name="b.pdf", size=40)))
    assert "could not fetch" in (await Message.objects.filter(author="bot").alast()).text
    assert lost.form == "press"
    huge = await bot_desk.handle(incoming(4, file=SentFile(external_id="huge", name="c.pdf", size=10**9)))
    assert huge.outcome == "refused"
    assert fetched == ["AgAD", "gone"], "what is too large is not fetched"


async def test_a_caption_is_answered_like_any_message(bot_desk, rasa, pagoda) -> None:
    rasa.answers("pagoda-hours")
    result = await bot_desk.handle(
        Incoming(
            channel="telegram", chat_id="1", external_id="1", hint="en", text="When does this pagoda open?",
            file=SentFile(external_id="AgAD", name="photo.jpg", size=40),
        )
    )
    assert result.outcome == "answered"
    assert not await TicketFile.objects.filter(state=FileState.STORED).aexists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\letter.PDF", "letter.PDF"),
        ("a\u202egnp.exe\n.pdf", "agnp.exe.pdf"),
        ("", "file"),
        (".", "file"),
        ("x" * 400 + ".pdf", "x" * files.MAX_NAME + ".pdf"),
    ],
)
def test_a_name_can_be_shown_and_saved_anywhere(given, kept) -> None:
    assert files.clean_name(given) == kept


async def test_an_erased_file_leaves_no_bytes_and_no_name(client, rasa, folder) -> None:
    await begin_form(client, rasa)
    await send(client, PDF)
    file = await TicketFile.objects.aget()
    for _ in range(2):
        await sync_to_async(files.erase)(file)
    assert not [path for path in folder.rglob("*") if path.is_file()]
    await file.arefresh_from_db()
    assert (file.state, file.name, file.path, file.sha256) == (FileState.ERASED, "", "", "")
