"""What is erased when its time is over, and what stays."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from bot import retention, trackers
from bot.models import Author, Button, Conversation, Delivery, Message, Turn, Update, UpdateState
from desk import answers, files, tickets
from desk.models import FileState, Receipt, Ticket, TicketFile

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def places(memory, folder) -> None:
    """Rasa's file and the askers' files, of each test's own."""


@pytest.fixture
def chat() -> Conversation:
    return chat_of("c1", days=200)


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def chat_of(name: str, days: int) -> Conversation:
    """Store a conversation with one answered message, `days` days old."""
    chat = Conversation.objects.create(channel="web", chat_id=name)
    update = Update.objects.create(
        channel="web", external_id=name, conversation=chat, payload={"text": "hi"}, state=UpdateState.DONE
    )
    turn = Turn.objects.create(conversation=chat, update_row=update, text="hi", language="en", outcome="answered")
    Message.objects.create(conversation=chat, turn=turn, author=Author.BOT, text="hello", state=Delivery.DELIVERED)
    age(days, chat)
    return chat


def age(days: int, chat: Conversation) -> None:
    Conversation.objects.filter(pk=chat.pk).update(created_at=ago(days), last_at=ago(days))
    chat.updates.update(received_at=ago(days))
    chat.turns.update(created_at=ago(days))
    chat.messages.update(created_at=ago(days))


def erased(**options) -> dict[str, int]:
    """Run, and return the kinds of which something went."""
    return {kind: rows for kind, rows in retention.run(**options).rows.items() if rows}


def closed_ticket(officer, days: float, number: int = 1) -> Ticket:
    chat = Conversation.objects.create(channel="web", chat_id=f"t{number}")
    ticket = tickets.open_ticket("other", conversation=chat, language="en", words="My lamp", fields={"name": "Ann"})
    file = TicketFile.objects.create(conversation=chat, ticket=ticket, name="lamp.pdf")
    files.keep(file, b"%PDF-1.4 lamp")
    answers.answer(ticket, officer, "It is repaired.")
    tickets.close(ticket, officer)
    chat.messages.update(state=Delivery.DELIVERED)
    Ticket.objects.filter(pk=ticket.pk).update(closed_at=ago(days))
    return ticket


def test_old_is_erased_young_stays(chat: Conversation) -> None:
    young = chat_of("c2", days=170)
    # The conversation was the last trace of the old one.
    assert erased() == {"messages": 1, "turns": 1, "updates": 1, "conversations": 1}
    assert Conversation.objects.get() == young
    assert (young.messages.count(), young.turns.count(), young.updates.count()) == (1, 1, 1)
    assert erased() == {}


def test_dry_run_only_counts(chat: Conversation) -> None:
    out = StringIO()
    call_command("retention", "--dry-run", "--json", stdout=out)
    report = json.loads(out.getvalue())
    row = next(each for each in report["kinds"] if each["kind"] == "messages")
    assert (report["dry_run"], row["days"], row["rows"], row["oldest"][:10]) == (
        True,
        180,
        1,
        f"{ago(200).astimezone(dt.UTC):%Y-%m-%d}",
    )
    assert (Message.objects.count(), Turn.objects.count(), Update.objects.count()) == (1, 1, 1)


def test_the_table_names_every_kind_its_time_its_rows_and_its_oldest(chat: Conversation) -> None:
    Receipt.objects.create(number="XD-2026-0001")
    out = StringIO()
    call_command("retention", "--dry-run", stdout=out)
    lines = {line[:16].strip(): line[16:].split() for line in out.getvalue().splitlines()}
    assert lines["messages"] == ["180", "days", "1", f"{timezone.localtime(ago(200)):%Y-%m-%d}"]
    assert lines["tickets"] == ["730", "days", "0", "-"]
    assert lines["buttons"][:2] == ["30", "days"]
    assert {"turns", "updates", "files", "stray files", "memory", "conversations"} <= set(lines)
    assert lines["receipts"] == ["always", "-", "1", "kept"]
    assert "audit records" in lines


def test_unfinished_stays(chat: Conversation) -> None:
    chat.messages.update(state=Delivery.QUEUED)
    chat.updates.update(state=UpdateState.RECEIVED)
    assert erased() == {"turns": 1}
    assert (chat.messages.count(), chat.updates.count()) == (1, 1)


def test_a_tickets_file_stays(chat: Conversation) -> None:
    ticket = Ticket.objects.create(number="T-1", kind="other", conversation=chat)
    chat.messages.update(ticket=ticket)
    chat.turns.update(ticket="T-1")
    assert erased() == {"updates": 1}
    assert (chat.messages.count(), chat.turns.count()) == (1, 1)


def test_a_ticket_closed_long_ago_keeps_its_number_and_the_citys_answer_alone(officer, folder) -> None:
    old, young = closed_ticket(officer, days=731), closed_ticket(officer, days=729, number=2)
    assert erased() == {"tickets": 1}
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.words, old.fields, old.conversation_id, bool(old.erased_at)) == ("", {}, None, True)
    assert old.answers.get().text == "It is repaired."
    assert old.files.get().state == FileState.ERASED
    assert (young.words, young.fields) == ("My lamp", {"name": "Ann"})
    assert len([each for each in folder.rglob("*") if each.is_file()]) == 1
    assert erased() == {}


def test_an_open_ticket_stays_however_old(officer) -> None:
    ticket = closed_ticket(officer, days=2000)
    tickets.reopen(ticket, officer)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=ago(3000))
    assert "tickets" not in erased()


def test_buttons_go_after_a_month_and_the_way_back_to_the_staff_with_the_answer(chat: Conversation) -> None:
    for payload, days in (("/ask", 29), ("/ask", 31), ("reply:MT-1", 31), ("reply:MT-1", 181)):
        button = Button.objects.create(conversation=chat, label="x", payload=payload)
        Button.objects.filter(pk=button.pk).update(created_at=ago(days))
    assert retention.run().rows["buttons"] == 2


def test_files_of_no_ticket_and_bytes_of_no_row_go(chat: Conversation, folder) -> None:
    for days in (179, 181):
        file = files.keep(TicketFile.objects.create(conversation=chat, name="x.pdf"), b"%PDF-1.4")
        TicketFile.objects.filter(pk=file.pk).update(created_at=ago(days))
    for name, days in (("young.pdf", 0.5), ("old.pdf", 2)):
        (folder / name).write_bytes(b"%PDF")
        os.utime(folder / name, (ago(days).timestamp(),) * 2)
    rows = retention.run().rows
    assert (rows["files"], rows["stray files"]) == (1, 1)
    assert (folder / "young.pdf").exists()
    assert not (folder / "old.pdf").exists()
    assert len([each for each in folder.rglob("*") if each.is_file()]) == 2


def test_rasas_memory_goes_with_the_chats_silence_and_of_names_that_no_chat_has(chat: Conversation, memory) -> None:
    active, silent = chat_of("active", days=1), chat_of("silent", days=200)
    for each in (active, silent):
        memory.write(each.sender, "hello", began=ago(200).timestamp())
    memory.write("nobody's", "hello")
    assert retention.run(dry_run=True).rows["memory"] == 2
    assert retention.run().rows["memory"] == 2
    assert memory.senders() == {active.sender}


def test_a_busy_memory_holds_up_nothing_else(chat: Conversation, monkeypatch) -> None:
    def busy():
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(trackers, "sessions", busy)
    assert erased() == {"messages": 1, "turns": 1, "updates": 1, "conversations": 1}


def test_a_chat_with_a_ticket_stays(chat: Conversation) -> None:
    Ticket.objects.create(number="T-1", kind="other", conversation=chat)
    retention.run()
    assert Conversation.objects.get() == chat


def test_receipts_stay(chat: Conversation) -> None:
    receipt = Receipt.objects.create(number="XD-2020-0001")
    Receipt.objects.filter(pk=receipt.pk).update(created_at=ago(3000))
    retention.run()
    assert Receipt.objects.count() == 1


def test_what_was_emptied_goes_after_a_day(chat: Conversation) -> None:
    chat.updates.update(payload={}, received_at=ago(2))
    assert retention.run().rows["updates"] == 1


def test_the_worker_erases(chat: Conversation) -> None:
    call_command("worker", "--once")
    assert not Message.objects.exists()
