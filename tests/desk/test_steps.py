"""What a ticket allows and refuses, and that two people at once cannot break it."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.urls import reverse

from bot.models import Author, Delivery, Handler, Message, Update
from bot.store import as_reply, hear_for_staff
from desk import answers, tickets
from desk.models import State, TicketEvent


def at_once(*works):
    """Do things in threads that start together; return what went wrong."""
    errors, barrier = [], threading.Barrier(len(works))

    def run(work):
        try:
            barrier.wait(10)
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_at_once_one_gets_the_ticket(person):
    people = [person(f"officer{number}", "desk.work_tickets") for number in range(6)]
    ticket = tickets.open_ticket("other", conversation=None, language="vi", words="x")
    errors = at_once(*(lambda user=user: tickets.claim(ticket, user) for user in people))
    ticket.refresh_from_db()
    assert len(errors) == 5
    assert all(isinstance(error, tickets.TicketError) for error in errors)
    assert all(ticket.claimed_by.username in str(error) for error in errors)
    assert ticket.events.filter(type=TicketEvent.Type.CLAIMED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_step_and_the_askers_next_message_do_not_block_each_other(press, ticket, conversation):
    """On PostgreSQL two orders of locking would end in a deadlock, and the asker's message in an error."""

    def staff():
        for _ in range(10):
            tickets.take_over(ticket, press)
            answers.answer(ticket, press, "Yes.", "Có.")
            tickets.close(ticket, press)
            tickets.reopen(ticket, press)

    def asker():
        for number in range(20):
            update = Update.objects.create(
                channel="telegram", external_id=str(number), conversation=conversation, payload={}
            )
            hear_for_staff(update, "Hello?")

    assert at_once(staff, asker) == []


def test_an_answer_reaches_the_api_with_its_ticket_and_author(released, ticket):
    message = released(ticket, "Yes, on Thursday.").message
    assert (message.priority, message.state) == (answers.PRIORITY, Delivery.QUEUED)
    reply = as_reply(message)
    assert (reply["text"], reply["ticket"], reply["author"]) == ("Yes, on Thursday.", ticket.number, "staff")
    assert (reply["language"], reply["fallback"]) == ("en", False)
    assert [button["label"] for button in reply["buttons"]] == ["Reply to the staff"]
    assert {"place", "entry", "source", "verified_on"} <= set(reply)


@pytest.mark.parametrize("step", [tickets.claim, tickets.take_over, lambda *both: answers.answer(*both, "x", "x")])
def test_a_closed_ticket_is_reopened_before_anything_else(press, ticket, step):
    tickets.close(ticket, press)
    with pytest.raises(tickets.TicketError, match="reopen"):
        step(ticket, press)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.claimed_by) == (State.CLOSED, None)


def test_a_conversation_that_a_colleague_answers_is_not_taken_silently(person, press, ticket, conversation):
    tickets.take_over(ticket, press)
    tickets.take_over(ticket, press)
    with pytest.raises(tickets.TicketError, match="press is answering"):
        tickets.take_over(ticket, person("second", "desk.work_press"))
    conversation.refresh_from_db()
    assert (conversation.taken_by, conversation.epoch) == (press, 1)


def test_a_step_that_fails_leaves_no_line_and_no_message(press, ticket, monkeypatch):
    for module in (tickets, answers):
        monkeypatch.setattr(module, "event", lambda *_, **__: 1 / 0)
    for step in (lambda: answers.answer(ticket, press, "x", "x"), lambda: tickets.take_over(ticket, press)):
        with pytest.raises(ZeroDivisionError):
            step()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.conversation.handler) == (State.OPEN, Handler.BOT)
    assert not Message.objects.filter(author=Author.STAFF).exists()


def test_an_unknown_kind_and_an_unknown_conversation_are_refused(db):
    with pytest.raises(tickets.TicketError, match="There is no kind"):
        tickets.open_ticket("gossip", conversation=None, language="vi", words="x")


def test_the_askers_next_message_puts_an_answered_ticket_back_to_work(released, ticket):
    released(ticket, "Yes.")
    tickets.record_message(ticket, "When?")
    ticket.refresh_from_db()
    assert ticket.state == State.CLAIMED
    assert ticket.events.last().text == "When?"


def test_a_press_request_in_the_same_chat_stays_with_the_press_office(
    as_user, person, officer, released, ticket, conversation
):
    released(ticket, "The chairman sees you on Monday.")
    lamp = tickets.open_ticket("complaint", conversation=conversation, language="en", words="A lamp is broken.")
    answers.answer(lamp, officer, "It will be mended.")
    tickets.record_message(lamp, "Thanks! " * 40)
    pages = [reverse(f"desk_tickets:{name}", args=[lamp.number]) for name in ("detail", "updates")]
    for address in pages:
        text = as_user(officer).get(address).content.decode()
        assert "It will be mended." in text
        assert "chairman" not in text
        assert "journalist" not in text
    assert "a press request that you may not see" in as_user(officer).get(pages[0]).content.decode()
    assert "Thanks! " * 39 in as_user(officer).get(pages[0]).content.decode(), "what was asked here is told in full"
    both = person("both", "desk.work_press", "desk.work_tickets")
    assert "chairman" in as_user(both).get(pages[0]).content.decode()


def test_who_opens_a_colleagues_ticket_is_told_before_answering(as_user, person, press, ticket):
    tickets.claim(ticket, press)
    words = "is working on this ticket; talk to them"
    address = reverse("desk_tickets:detail", args=[ticket.number])
    assert words not in as_user(press).get(address).content.decode()
    assert words in as_user(person("second", "desk.work_press")).get(address).content.decode()


def test_what_is_done_is_read_from_today_backwards_page_by_page(as_user, officer):
    for number in range(52):
        tickets.close(tickets.open_ticket("other", conversation=None, language="vi", words=str(number)), officer)
    browser, address = as_user(officer), reverse("desk_tickets:index")
    first = browser.get(address, {"state": "closed"})
    assert [each.words for each in first.context["tickets"]][:2] == ["51", "50"]
    assert "state=closed&amp;p=2" in first.content.decode()
    second = browser.get(address, {"state": "closed", "p": "2"})
    assert [each.words for each in second.context["tickets"]] == ["1", "0"]
    assert browser.get(address, {"state": "closed", "p": "nonsense"}).status_code == 200
