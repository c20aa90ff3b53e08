"""Who works on a ticket, until when, and what it hangs together with, on its page."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from bot.models import Author, Conversation, Message
from desk import tickets
from desk.models import State, TicketEvent
from knowledge.models import Department


def page(ticket, name="detail", *more):
    return reverse(f"desk_tickets:{name}", args=[ticket.number, *more])


def said(response):
    return [str(message) for message in response.context["messages"]]


def part(browser, ticket, name):
    return browser.get(page(ticket, "updates"), {"stamp": "old"}).json()["parts"][name]


@pytest.fixture
def again(ticket, conversation):
    """A second press ticket of the same chat."""
    return tickets.open_ticket("press", conversation=conversation, language="en", words="The same once more")


def test_a_ticket_is_given_to_somebody_who_may_see_it(as_user, press, second, officer, ticket):
    browser = as_user(press)
    work = part(browser, ticket, "work")
    assert f'<option value="{second.pk}">second</option>' in work
    assert "officer" not in work
    browser.post(page(ticket, "act", "assign"), {"holder": second.pk})
    ticket.refresh_from_db()
    assert (ticket.claimed_by_id, ticket.state) == (second.pk, State.CLAIMED)
    for holder in (officer.pk, "", "x"):
        response = as_user(second).post(page(ticket, "act", "assign"), {"holder": holder}, follow=True)
        assert "may see this ticket" in said(response)[0]
    ticket.refresh_from_db()
    assert ticket.claimed_by_id == second.pk


def test_a_colleagues_ticket_is_reassigned_by_a_head_alone(as_user, person, press, second, ticket):
    tickets.claim(ticket, second)
    assert 'name="holder"' not in part(as_user(press), ticket, "work")
    response = as_user(press).post(page(ticket, "act", "assign"), {"holder": press.pk}, follow=True)
    assert "second is working on this ticket" in said(response)[0]
    head = as_user(person("head", "desk.work_press", "desk.assign_ticket"))
    assert f'value="{second.pk}" selected' in part(head, ticket, "work")
    head.post(page(ticket, "act", "assign"), {"holder": press.pk})
    ticket.refresh_from_db()
    assert ticket.claimed_by_id == press.pk


def test_a_ticket_moves_to_another_office(as_user, press, ticket):
    office = Department.objects.create(slug="trade", name_vi="Phòng Kinh tế", name_en="Economy")
    browser = as_user(press)
    browser.post(page(ticket, "act", "department"), {"department": office.pk})
    assert "Phòng Kinh tế" in part(browser, ticket, "head")
    assert "Choose an office" in said(browser.post(page(ticket, "act", "department"), {}, follow=True))[-1]
    ticket.refresh_from_db()
    assert ticket.department == office


def test_a_deadline_is_the_citys_clock_and_shown_on_the_askers_too(as_user, press, ticket):
    ticket.timezone = "Europe/London"
    ticket.save()
    browser = as_user(press)
    browser.post(page(ticket, "act", "deadline"), {"deadline": "2030-01-15T09:30"})
    ticket.refresh_from_db()
    assert ticket.deadline == dt.datetime(2030, 1, 15, 2, 30, tzinfo=dt.UTC)
    head = part(browser, ticket, "head")
    assert "15/01/2030 09:30" in head
    assert '<span class="dk-none">· 15/01/2030 02:30 (Europe/London)</span>' in head
    assert 'value="2030-01-15T09:30"' in part(browser, ticket, "work")
    browser.post(page(ticket, "act", "deadline"), {"deadline": ""})
    ticket.refresh_from_db()
    assert ticket.deadline is None


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../etc", "Europe", "\0", "Asia/Ho_Chi_Minh", "Asia/Bangkok"])
def test_a_zone_that_nobody_knows_or_that_is_ours_is_not_shown(as_user, press, ticket, zone):
    if "\0" in zone and connection.vendor == "postgresql":
        pytest.skip("PostgreSQL cannot even store it")
    ticket.timezone, ticket.deadline = zone, timezone.now() + dt.timedelta(days=1)
    ticket.save()
    head = part(as_user(press), ticket, "head")
    assert f"{timezone.localtime(ticket.deadline):%d/%m/%Y %H:%M}" in head
    assert '<span class="dk-none">· ' not in head


@pytest.mark.parametrize(
    ("deadline", "why"), [("2020-01-01T09:00", "has passed"), ("tomorrow", "no date and time"), ("9999-99-99", "no")]
)
def test_a_deadline_that_makes_no_sense_is_refused(as_user, press, ticket, deadline, why):
    response = as_user(press).post(page(ticket, "act", "deadline"), {"deadline": deadline}, follow=True)
    assert why in said(response)[0]
    ticket.refresh_from_db()
    assert ticket.deadline is None


def test_the_asker_is_told_of_a_delay_once(as_user, press, ticket):
    tickets.Ticket.objects.filter(pk=ticket.pk).update(deadline=timezone.now() + dt.timedelta(hours=3))
    browser = as_user(press)
    assert page(ticket, "act", "late") in part(browser, ticket, "work")
    browser.post(page(ticket, "act", "late"))
    assert Message.objects.get(author=Author.BOT).text.count(ticket.number)
    assert "told already" in said(browser.post(page(ticket, "act", "late"), follow=True))[-1]


def test_a_duplicate_is_merged_and_both_pages_say_so(as_user, press, ticket, again, complaint):
    browser = as_user(press)
    assert again.number in part(browser, ticket, "work")
    browser.post(page(again, "act", "merge"), {"into": ticket.number})
    again.refresh_from_db()
    assert (again.state, again.merged_into) == (State.CLOSED, ticket)
    assert f'Phiếu gộp vào đây / merged into this</b> <a href="{page(again)}"' in part(browser, ticket, "related")
    assert f'merged into</b> <a href="{page(ticket)}"' in part(browser, again, "related")
    assert "reopen" not in part(browser, again, "head"), "a merged ticket is not opened again"


def test_a_ticket_is_not_merged_into_one_of_another_person_or_out_of_sight(as_user, press, ticket, again, complaint):
    other = Conversation.objects.create(channel="web", chat_id="someone-else", language="en")
    stranger = tickets.open_ticket("press", conversation=other, language="en", words="Mine")
    browser = as_user(press)
    assert stranger.number not in part(browser, ticket, "work")
    for into in (stranger.number, complaint.number, "", "MT-1-1"):
        assert said(browser.post(page(ticket, "act", "merge"), {"into": into}, follow=True))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.merged_into) == (State.OPEN, None)


def test_a_follow_up_and_the_same_chats_tickets_are_linked(as_user, press, ticket, again):
    tickets.close(ticket, press)
    tickets.Ticket.objects.filter(pk=ticket.pk).update(closed_at=timezone.now() - dt.timedelta(days=4))
    new = tickets.follow_up(ticket, "One more question")
    browser = as_user(press)
    assert f'continued in</b> <a href="{page(new)}"' in part(browser, ticket, "related")
    related = part(browser, new, "related")
    assert f'continues</b> <a href="{page(ticket)}"' in related
    assert f'same chat</b> <a href="{page(again)}"' in related
    assert related.count("<li>") == 2


def test_a_press_ticket_of_the_same_chat_is_not_even_named_to_a_desk_officer(as_user, officer, ticket, conversation):
    lamp = tickets.open_ticket("complaint", conversation=conversation, language="en", words="A lamp is broken.")
    for address in (page(lamp), page(lamp, "updates") + "?stamp=old"):
        assert ticket.number not in as_user(officer).get(address).content.decode()
    response = as_user(officer).post(page(lamp, "act", "merge"), {"into": ticket.number}, follow=True)
    assert "Choose the ticket" in said(response)[0]
    assert not ticket.events.filter(type=TicketEvent.Type.MERGED).exists()
