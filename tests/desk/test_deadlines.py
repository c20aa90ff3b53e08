"""Who is reminded of a deadline, when, and what the asker is told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.core.mail.backends import locmem
from django.utils import timezone

from bot.models import Author, Delivery, Handler, Message
from bot.outbox import claim
from desk import answers, assignments, deadlines, tickets
from desk.models import Reminder, State, TicketEvent

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def head(person):
    return person("head", "desk.work_press", "desk.work_tickets", "desk.assign_ticket")


@pytest.fixture
def due(ticket):
    """The press ticket, to be answered in thirty hours."""
    ticket.deadline = timezone.now() + 30 * HOUR
    ticket.save()
    return ticket


def reminded():
    """Return the mails since the last call, as {address: subject}, and forget them."""
    sent = {message.to[0]: message.subject for message in mail.outbox}
    mail.outbox.clear()
    return sent


def test_the_holder_is_reminded_first_then_the_head_then_the_asker_and_each_once(due, press, head, conversation):
    tickets.claim(due, press)
    assert deadlines.remind() == 0
    assert deadlines.remind(due.deadline - 23 * HOUR) == 1
    assert reminded() == {"press@example.org": f"[{due.number}] Sắp đến hạn / Deadline near"}
    assert deadlines.remind(due.deadline - 22 * HOUR) == 0
    assert deadlines.remind(due.deadline - 3 * HOUR) == 1
    assert reminded() == {"head@example.org": f"[{due.number}] Sắp trễ hạn, chưa trả lời / About to be late"}
    assert deadlines.remind(due.deadline + HOUR) == 1
    assert deadlines.remind(due.deadline + 2 * HOUR) == 0
    assert reminded() == {}
    told = Message.objects.get(ticket=due, author=Author.BOT)
    assert due.number in told.text
    assert told.text.startswith("We are sorry")
    lines = list(due.events.values_list("type", flat=True))
    assert lines[-3:] == [TicketEvent.Type.REMINDED, TicketEvent.Type.REMINDED, TicketEvent.Type.LATE]


def test_mail_names_the_ticket_and_never_what_it_is_about(due, press, head):
    tickets.claim(due, press)
    deadlines.remind(due.deadline - HOUR)
    for message in mail.outbox:
        assert due.number in message.body
        assert "/tickets/" in message.body
        for secret in (due.words, *(str(value) for value in due.fields.values())):
            assert secret not in message.body + message.subject


def test_without_a_holder_everybody_who_may_take_it_is_reminded_and_nobody_else(due, press, second, officer, editor):
    deadlines.remind(due.deadline - 20 * HOUR)
    assert set(reminded()) == {"press@example.org", "second@example.org"}


def test_an_answered_or_closed_ticket_is_nobodys_worry(due, released, press):
    released(due, "Yes.")
    assert deadlines.remind(due.deadline + HOUR) == 0
    tickets.record_message(due, "And when?")
    assert deadlines.remind(due.deadline - HOUR) == 2, "the asker waits again"
    tickets.close(due, press)
    assert deadlines.remind(due.deadline + HOUR) == 0


def test_another_deadline_is_reminded_of_anew(due, press, head):
    tickets.claim(due, press)
    deadlines.remind(due.deadline - 20 * HOUR)
    assignments.set_deadline(due, press, due.deadline + 48 * HOUR)
    due.refresh_from_db()
    assert deadlines.remind(due.deadline - 30 * HOUR) == 0
    assert deadlines.remind(due.deadline - 20 * HOUR) == 1


def test_a_request_without_a_deadline_is_not_forgotten(ticket, press, head, settings):
    later = ticket.created_at + dt.timedelta(hours=settings.ANSWER_HOURS)
    assert deadlines.remind(later - 40 * HOUR) == 0
    assert deadlines.remind(later - HOUR) == 2
    assert deadlines.remind(later + HOUR) == 0, "the asker named no deadline that could be missed"


def test_a_mail_server_that_is_down_costs_no_reminder(due, press, monkeypatch, settings):
    tickets.claim(due, press)

    def down(*_):
        raise ConnectionRefusedError(111, "Connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(locmem.EmailBackend, "send_messages", down)
        assert deadlines.remind(due.deadline - 20 * HOUR) == 1
        assert deadlines.remind(due.deadline - 20 * HOUR) == 0
    assert mail.outbox == []
    deadlines.remind(due.deadline - 20 * HOUR)
    assert list(reminded()) == ["press@example.org"]
    assert Reminder.objects.get().sent_to == ["press"]
    deadlines.remind(due.deadline - 20 * HOUR)
    assert reminded() == {}


def test_staff_may_tell_the_asker_beforehand_and_then_nobody_tells_them_again(due, press, conversation):
    tickets.claim(due, press)
    deadlines.tell_late(due, press)
    with pytest.raises(tickets.TicketError, match="told already"):
        deadlines.tell_late(due, press)
    deadlines.remind(due.deadline + HOUR)
    assert Message.objects.filter(ticket=due, author=Author.BOT).count() == 1


def test_the_notice_is_sent_while_a_person_has_the_conversation(due, press, conversation):
    tickets.take_over(due, press)
    deadlines.tell_late(due, press)
    conversation.refresh_from_db()
    assert conversation.handler == Handler.STAFF
    assert claim(Message.objects.get(ticket=due, author=Author.BOT).pk).state == Delivery.SENDING


def test_a_ticket_answered_between_the_list_and_the_lock_is_left_alone(due, released, monkeypatch):
    listed = deadlines._waiting

    def answered_meanwhile(now):
        found = listed(now)
        released(due, "Yes.")
        return found

    monkeypatch.setattr(deadlines, "_waiting", answered_meanwhile)
    assert deadlines.remind(due.deadline - HOUR) == 0
    due.refresh_from_db()
    assert due.state == State.ANSWERED
    assert answers.Answer.objects.get(ticket=due).message is not None
