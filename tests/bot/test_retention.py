"""What is erased when its time is over, and what stays."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from bot import retention
from bot.models import Author, Conversation, Delivery, Message, Turn, Update, UpdateState
from desk.models import Kind, Ticket

pytestmark = pytest.mark.django_db
NONE_LEFT = {"messages": 0, "turns": 0, "updates": 0}


@pytest.fixture
def chat() -> Conversation:
    return chat_of("c1", days=200)


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
    then = timezone.now() - dt.timedelta(days=days)
    Conversation.objects.filter(pk=chat.pk).update(created_at=then, last_at=then)
    chat.updates.update(received_at=then)
    chat.turns.update(created_at=then)
    chat.messages.update(created_at=then)


def test_old_is_erased_young_stays(chat: Conversation) -> None:
    young = chat_of("c2", days=170)
    rows = {"messages": 1, "turns": 1, "updates": 1}
    assert retention.run().rows == rows
    assert Conversation.objects.count() == 2  # the key to Rasa's own record stays
    assert (young.messages.count(), young.turns.count(), young.updates.count()) == (1, 1, 1)
    assert retention.run().rows == NONE_LEFT


def test_dry_run_only_counts(chat: Conversation) -> None:
    out = StringIO()
    call_command("retention", "--dry-run", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert (report["days"], report["dry_run"], report["rows"]["messages"]) == (180, True, 1)
    assert (Message.objects.count(), Turn.objects.count(), Update.objects.count()) == (1, 1, 1)


def test_unfinished_stays(chat: Conversation) -> None:
    chat.messages.update(state=Delivery.QUEUED)
    chat.updates.update(state=UpdateState.RECEIVED)
    assert retention.run().rows == {**NONE_LEFT, "turns": 1}
    assert (chat.messages.count(), chat.updates.count()) == (1, 1)


def test_a_tickets_file_stays(chat: Conversation) -> None:
    ticket = Ticket.objects.create(number="T-1", kind=Kind.values[0], conversation=chat)
    chat.messages.update(ticket=ticket)
    chat.turns.update(ticket="T-1")
    assert retention.run().rows == {**NONE_LEFT, "updates": 1}
    assert (chat.messages.count(), chat.turns.count()) == (1, 1)


def test_zero_days_turn_it_off(chat: Conversation, settings) -> None:
    settings.RETENTION_DAYS = 0
    assert retention.run().rows == {}
    assert Message.objects.count() == 1


def test_the_worker_erases(chat: Conversation) -> None:
    call_command("worker", "--once")
    assert not Message.objects.exists()
