"""Editing an answer that was sent, on its ticket's page: where the channel can still change it, and nowhere else."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from bot.models import Delivery
from desk import answers, tickets
from desk.models import TicketEvent


@pytest.fixture
def given(officer, conversation):
    ticket = tickets.open_ticket("other", conversation=conversation, language="en", words="w")
    return answers.answer(ticket, officer, "Yes, on Thursday.", "Vâng, thứ năm.")


def address(ticket, name="detail", *more):
    return reverse(f"desk_tickets:{name}", args=[ticket.number, *more])


def shown(browser, ticket):
    return browser.get(address(ticket)).content.decode()


def change(browser, given, **more):
    post = {"answer": given.pk, "text": "Yes, on Friday.", "text_vi": "Vâng, thứ sáu.", **more}
    return browser.post(address(given.ticket, "act", "edit"), post, follow=True)


def test_what_waits_to_be_sent_is_changed_and_the_history_keeps_both(as_user, officer, given):
    browser = as_user(officer)
    assert address(given.ticket, "act", "edit") in shown(browser, given.ticket)
    change(browser, given)
    given.refresh_from_db()
    assert (given.text, given.text_vi) == ("Yes, on Friday.", "Vâng, thứ sáu.")
    assert (given.message.text, given.message.payload["text"]) == ("Yes, on Friday.", "Yes, on Friday.")
    assert given.message.revision == 1
    lines = given.ticket.events.filter(type__in=(TicketEvent.Type.ANSWER, TicketEvent.Type.EDITED)).order_by("pk")
    assert [line.text for line in lines] == ["Yes, on Thursday.", "Yes, on Friday."]


def test_what_telegram_showed_is_changed_there_for_a_while(as_user, officer, given):
    given.message.conversation.channel = "telegram"
    given.message.conversation.save()
    given.message.state, given.message.sent_at = Delivery.DELIVERED, timezone.now()
    given.message.save()
    browser = as_user(officer)
    assert address(given.ticket, "act", "edit") in shown(browser, given.ticket)
    given.message.sent_at -= dt.timedelta(days=3)
    given.message.save()
    assert address(given.ticket, "act", "edit") not in shown(browser, given.ticket)


def test_a_refused_change_is_given_back_with_the_reason(as_user, officer, given):
    given.message.state, given.message.sent_at = Delivery.DELIVERED, timezone.now() - dt.timedelta(days=3)
    given.message.save()
    page = change(as_user(officer), given).content.decode()
    assert "send a correction" in page
    assert "Sửa chưa được lưu" in page
    assert "Yes, on Friday." in page
    given.refresh_from_db()
    assert given.text == "Yes, on Thursday."


def test_a_press_answer_is_not_edited_and_offers_no_form(as_user, person, ticket, released):
    written = released(ticket, "Yes.")
    browser = as_user(written.author)
    assert address(ticket, "act", "edit") not in shown(browser, ticket)
    assert "send a correction" in change(browser, written).content.decode()


def test_nor_is_one_of_a_closed_ticket(as_user, officer, given):
    tickets.close(given.ticket, officer)
    browser = as_user(officer)
    assert address(given.ticket, "act", "edit") not in shown(browser, given.ticket)
    change(browser, given)
    given.refresh_from_db()
    assert given.text == "Yes, on Thursday."
