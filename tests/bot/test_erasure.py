"""/forget: what is erased, what stays, what is told; and that a crash at any step costs neither data nor receipt."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bot import retention, store, trackers
from bot.models import Author, Button, Conversation, Delivery, Handler, Message, Turn, Update, UpdateState
from bot.replies import FORGET
from bot.store import Incoming
from desk import answers, audit, erasure, files, tickets
from desk.models import AuditRecord, FileState, Post, Receipt, State, Ticket, TicketEvent, TicketFile, Topic
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "Zanzibar-7391"
PDF = b"%PDF-1.4 " + CANARY.encode()


def said(text: str = "", number: object = 1, chat: str = "c1", **fields) -> Incoming:
    return Incoming(channel="web", chat_id=chat, external_id=f"{chat}-{number}", text=text, **fields)


def file_of(conversation: Conversation, ticket: Ticket | None = None) -> TicketFile:
    row = TicketFile.objects.create(conversation=conversation, ticket=ticket, name=f"{CANARY}.pdf")
    return files.keep(row, PDF)


def full_chat(memory, officer) -> Conversation:
    """Store a chat in which everything happened that leaves traces, each with the canary in it."""
    chat, _ = Conversation.objects.get_or_create(channel="web", chat_id="c1")
    Conversation.objects.filter(pk=chat.pk).update(language="en", language_chosen=True, timezone="Europe/Paris")
    chat.refresh_from_db()
    update = Update.objects.create(
        channel="web", external_id="old", conversation=chat, payload={"text": CANARY}, state=UpdateState.DONE
    )
    turn = Turn.objects.create(conversation=chat, update_row=update, text=CANARY, language="en", outcome="answered")
    Message.objects.create(conversation=chat, author=Author.USER, text=CANARY, state=Delivery.DELIVERED)
    Message.objects.create(conversation=chat, turn=turn, author=Author.BOT, text=CANARY, state=Delivery.QUEUED)
    Button.objects.create(conversation=chat, label=CANARY, payload="/show_entry")
    memory.write(chat.sender, CANARY, "more")
    closed = tickets.open_ticket(
        "complaint",
        conversation=chat,
        language="en",
        words=f"{CANARY} words",
        fields={"name": CANARY},
        zone="Asia/Tokyo",
    )
    tickets.record_message(closed, CANARY)
    tickets.note(closed, officer, f"{CANARY} called")
    answers.answer(closed, officer, "The lamp is repaired.")
    file_of(chat, closed)
    topic = Topic.objects.create(ticket=closed, chat_id=1)
    Post.objects.create(topic=topic, text=CANARY)
    tickets.close(closed, officer)
    file_of(chat)
    return chat


def open_one(chat: Conversation, officer) -> Ticket:
    waiting = tickets.open_ticket(
        "other", conversation=chat, language="en", words="Still waiting", fields={"name": "A"}
    )
    TicketFile.objects.filter(ticket=waiting).update(ticket=None)
    answers.answer(waiting, officer, "We look at it.")
    return waiting


async def press_forget(bot_desk, number: int = 50):
    asked = await bot_desk.handle(said("/forget", number=number))
    yes, no = asked.replies[0]["buttons"]
    return await bot_desk.handle(said(number=number + 1, button=yes["id"])), no


def everything_stored() -> str:
    """Return every text column of every table, but what a receipt and the audit log keep."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [repr(row) for row in cursor.fetchall()]
    return "\n".join(found)


async def test_it_asks_first_and_no_keeps_everything(bot_desk, rasa, memory, folder, officer) -> None:
    await sync_to_async(full_chat)(memory, officer)
    asked = await bot_desk.handle(said("/forget"))
    yes, no = asked.replies[0]["buttons"]
    assert (yes["label"], no["label"]) == ("Erase everything", "Keep it")
    kept = await bot_desk.handle(said(number=2, button=no["id"]))
    assert "nothing was erased" in kept.replies[0]["text"]
    assert not await Receipt.objects.aexists()
    assert CANARY in await sync_to_async(everything_stored)()


async def test_everything_about_the_person_goes_and_the_citys_own_words_stay(
    bot_desk, rasa, memory, folder, officer
) -> None:
    chat = await sync_to_async(full_chat)(memory, officer)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
    result, _ = await press_forget(bot_desk)
    [reply] = result.replies
    receipt = await Receipt.objects.aget()
    assert reply["receipt"] == receipt.number
    assert receipt.number == f"XD-{timezone.localtime().year}-0001"
    assert receipt.number in reply["text"]
    assert receipt.erased["requests"] == 1
    assert (receipt.erased["files"], receipt.erased["memory"], receipt.kept) == (2, 2, [])
    assert CANARY not in await sync_to_async(everything_stored)()
    assert not [path for path in folder.rglob("*") if path.is_file()]
    assert memory.senders() == set()
    ticket = await Ticket.objects.aget()
    assert (ticket.conversation_id, ticket.words, ticket.fields, ticket.timezone) == (None, "", {}, "")
    assert ticket.erased_at
    assert (await ticket.answers.aget()).text == "The lamp is repaired."
    lines = [line async for line in ticket.events.values_list("type", "text")]
    assert ("answer", "The lamp is repaired.") in lines
    assert ("message", "") in lines
    assert lines[-1][0] == TicketEvent.Type.ERASED
    # The chat is as if it had just begun; only the way back to it is left.
    fresh = await Conversation.objects.aget()
    assert (fresh.uuid == chat.uuid, fresh.timezone, fresh.language_chosen, fresh.language) == (False, "", False, "en")
    assert {m.text for m in [m async for m in Message.objects.all()]} == {"", reply["text"]}
    assert (await TicketFile.objects.aget(ticket=ticket)).state == FileState.ERASED


async def test_the_audit_chain_stays_whole_and_says_that_it_happened(bot_desk, rasa, memory, folder, officer) -> None:
    await sync_to_async(full_chat)(memory, officer)
    await press_forget(bot_desk)
    rows = [row async for row in AuditRecord.objects.order_by("sequence")]
    assert [row.action for row in rows].count("forgotten") == 1
    previous = "0" * 64
    for row in rows:
        assert (row.previous, row.hash) == (previous, audit.hash_of(row))
        previous = row.hash


async def test_what_is_being_worked_on_stays_and_is_named(bot_desk, rasa, memory, folder, officer) -> None:
    chat = await sync_to_async(full_chat)(memory, officer)
    waiting = await sync_to_async(open_one)(chat, officer)
    result, _ = await press_forget(bot_desk)
    [reply] = result.replies
    assert f"/withdraw {waiting.number}" in reply["text"]
    assert str(django_settings.RETENTION_TICKETS_DAYS) in reply["text"]
    assert (await Receipt.objects.aget()).kept == [waiting.number]
    await waiting.arefresh_from_db()
    assert (waiting.words, waiting.fields, waiting.conversation_id) == ("Still waiting", {"name": "A"}, chat.pk)
    # The answer on its way to them is not lost, nor is the button under it.
    answer = await Message.objects.aget(ticket=waiting)
    assert answer.state == Delivery.QUEUED
    assert await Button.objects.filter(pk=answer.payload["buttons"][0]["id"]).aexists()
    assert CANARY not in await sync_to_async(everything_stored)()


async def test_staff_who_answer_later_are_told_that_the_asker_has_gone(bot_desk, rasa, memory, folder, officer) -> None:
    await sync_to_async(full_chat)(memory, officer)
    await press_forget(bot_desk)
    ticket = await Ticket.objects.aget()
    with pytest.raises(tickets.TicketError, match="withdrawn this request"):
        await sync_to_async(tickets.reopen)(ticket, officer)
    with pytest.raises(tickets.TicketError, match="reopen it first"):
        await sync_to_async(answers.answer)(ticket, officer, "Hello?")


async def test_no_repeat_of_an_old_message_brings_anything_back(bot_desk, rasa, memory, folder, officer) -> None:
    await bot_desk.handle(said(f"{CANARY} is my name", number=7))
    await press_forget(bot_desk)
    before = len(rasa.sent)
    again = await bot_desk.handle(said(f"{CANARY} is my name", number=7))
    assert (again.replies, len(rasa.sent)) == ([], before)
    assert CANARY not in await sync_to_async(everything_stored)()


async def test_a_repeat_of_the_order_itself_gives_the_same_receipt(bot_desk, rasa, memory, folder, officer) -> None:
    await sync_to_async(full_chat)(memory, officer)
    result, _ = await press_forget(bot_desk)
    again = await bot_desk.handle(said(number=51, button="whatever it was"))
    assert again == result
    assert await Receipt.objects.acount() == 1


class Killed(BaseException):
    """The process ends here."""


STEPS = [
    ("desk.erasure.trackers.count", 1),
    ("desk.erasure.trackers.erase", 1),
    ("desk.erasure._note", 1),
    ("desk.erasure.files.erase", 1),
    ("desk.erasure._note", 2),
    ("desk.erasure._erase_transcript", 1),
    ("desk.erasure.erase_ticket", 1),
    ("desk.erasure.event", 1),
    ("desk.erasure.files.erase", 2),
    ("desk.erasure._note", 4),
    ("desk.erasure.audit.record", 1),
    ("bot.store.commit_turn", 1),
]


@pytest.mark.parametrize(("step", "time"), STEPS, ids=[f"{step.split('.', 2)[2]}-{time}" for step, time in STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_at_any_step_it_goes_on_where_it_stopped(
    bot_desk, rasa, memory, folder, officer, monkeypatch, step, time, when
) -> None:
    from importlib import import_module

    await sync_to_async(full_chat)(memory, officer)
    asked = await bot_desk.handle(said("/forget"))
    path, name = step.rsplit(".", 1)
    owner = import_module("desk.erasure") if path.startswith("desk.erasure") else import_module(path)
    for part in path.split(".")[2:]:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), []

    def killed(*args, **kwargs):
        calls.append(1)
        if len(calls) != time:
            return real(*args, **kwargs)
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, killed)
        with pytest.raises(Killed):
            await bot_desk.handle(said(number=2, button=asked.replies[0]["buttons"][0]["id"]))
    for pk in await sync_to_async(store.unfinished)("web"):
        await bot_desk.work_off(await sync_to_async(store.read)(pk))
    receipt = await Receipt.objects.aget()
    assert (receipt.erased["requests"], receipt.erased["files"], receipt.erased["memory"]) == (1, 2, 2)
    told = [m.text async for m in Message.objects.filter(author=Author.BOT)]
    assert len(told) == 1
    assert receipt.number in told[0]
    assert CANARY not in await sync_to_async(everything_stored)()
    assert memory.senders() == set()
    assert not [each for each in folder.rglob("*") if each.is_file()]
    assert await AuditRecord.objects.filter(action="forgotten").acount() == 1


async def test_a_person_who_has_the_conversation_does_not_stand_in_the_way(
    bot_desk, rasa, memory, folder, officer
) -> None:
    chat = await sync_to_async(full_chat)(memory, officer)
    waiting = await sync_to_async(open_one)(chat, officer)
    await sync_to_async(tickets.take_over)(waiting, officer)
    result, _ = await press_forget(bot_desk)
    assert "XD-" in result.replies[0]["text"]
    assert (await Conversation.objects.aget()).handler == Handler.STAFF


async def test_two_chats_do_not_touch_each_other(bot_desk, rasa, memory, folder, officer) -> None:
    await bot_desk.handle(said("my other life", chat="c2"))
    other = await Conversation.objects.aget(chat_id="c2")
    await sync_to_async(memory.write)(other.sender, "remember me")
    await sync_to_async(full_chat)(memory, officer)
    await press_forget(bot_desk)
    assert await other.messages.acount() == 2
    assert memory.senders() == {other.sender}


async def test_a_file_that_came_after_the_order_is_a_new_matter(bot_desk, rasa, memory, folder, officer) -> None:
    chat = await sync_to_async(full_chat)(memory, officer)
    asked = await bot_desk.handle(said("/forget"))
    pressed = said(number=2, button=asked.replies[0]["buttons"][0]["id"])
    await sync_to_async(store.receive)(pressed)
    later = await sync_to_async(file_of)(chat)
    await bot_desk.handle(pressed)
    assert (await TicketFile.objects.aget(pk=later.pk)).state == FileState.STORED


def test_a_merged_ticket_goes_with_the_one_that_goes_on(memory, folder, officer) -> None:
    chat = Conversation.objects.create(channel="web", chat_id="m")
    first, second = (
        tickets.open_ticket("other", conversation=chat, language="en", words=words) for words in ("one", "two")
    )
    from desk import assignments

    assignments.merge(first, officer, second)
    assert erasure.erasable(chat.tickets.all()) == []
    tickets.close(second, officer)
    assert {ticket.number for ticket in erasure.erasable(chat.tickets.all())} == {first.number, second.number}


def test_an_open_ticket_is_never_erased(memory, folder, officer) -> None:
    ticket = tickets.open_ticket("other", conversation=None, language="en", words="here")
    assert erasure.erase_ticket(ticket) is False
    ticket.refresh_from_db()
    assert (ticket.words, ticket.state) == ("here", State.OPEN)


def test_without_rasas_file_nothing_fails(settings, tmp_path) -> None:
    settings.RASA_TRACKERS = tmp_path / "none" / "trackers.sqlite3"
    assert (trackers.count("x"), trackers.erase(["x"]), trackers.sessions()) == (0, 0, {})
    assert not settings.RASA_TRACKERS.exists()


def test_what_was_erased_is_no_longer_in_the_bytes_of_rasas_file(memory) -> None:
    memory.write("somebody", CANARY * 20)
    trackers.erase(["somebody"])
    for file in memory.file.parent.iterdir():
        assert CANARY.encode() not in file.read_bytes()


@pytest.mark.parametrize("language", CODES)
async def test_the_receipt_speaks_the_askers_language(bot_desk, rasa, memory, folder, language) -> None:
    await bot_desk.handle(said(order=f"language:{language}"))
    asked = await bot_desk.handle(said("/forget", number=2))
    result = await bot_desk.handle(said(number=3, button=asked.replies[0]["buttons"][0]["id"]))
    assert result.language == language
    words = {"vi": "Biên nhận", "en": "Receipt", "zh": "回执", "ko": "영수증", "ja": "受領証", "fr": "Reçu"}
    assert words.get(language, "Квитанция") in result.replies[0]["text"]


def test_old_updates_go_and_young_ones_keep_their_number_alone(memory, folder, officer) -> None:
    chat = full_chat(memory, officer)
    young = Update.objects.create(
        channel="web", external_id="young", conversation=chat, payload={"text": CANARY}, state=UpdateState.DONE
    )
    Update.objects.filter(external_id="old").update(received_at=timezone.now() - dt.timedelta(days=2))
    order, _ = store.receive(said(number=9, order=FORGET))
    erasure.forget(order)
    young.refresh_from_db()
    assert young.payload == {}
    assert not Update.objects.filter(external_id="old").exists()


def test_the_worker_does_not_mind(memory, folder, officer) -> None:
    full_chat(memory, officer)
    order, _ = store.receive(said(number=9, order=FORGET))
    erasure.forget(order)
    call_command("worker", "--once")
    assert Receipt.objects.count() == 1


def test_after_the_next_tidying_up_nothing_is_left_in_the_bytes_of_the_database(memory, folder, officer) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's own vacuum does this")
    full_chat(memory, officer)
    file = Path(connection.settings_dict["NAME"])
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert CANARY.encode() in file.read_bytes()  # or this test would prove nothing
    order, _ = store.receive(said(number=9, order=FORGET))
    erasure.forget(order)
    retention.run()
    for each in file.parent.glob(f"{file.name}*"):
        assert CANARY.encode() not in each.read_bytes()
