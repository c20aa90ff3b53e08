"""The list of tickets: filters, search without accents, counts, and what it never shows to whom."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from bot.models import Delivery
from desk import answers, tickets
from desk.models import Ticket
from knowledge.models import Department

INDEX = "desk_tickets:index"


def numbers(browser, **asked):
    return [each.number for each in browser.get(reverse(INDEX), asked).context["tickets"]]


@pytest.fixture
def lamps(officer, conversation):
    """Three complaints: a late one of the officer's, one nobody has, one in another office's care."""
    Department.objects.create(slug="city", name_vi="Đô thị", name_en="City", handles=["complaint"])
    said = {"Đèn đường hỏng": "Phường 1", "Rác chưa thu gom": "Đạo Thạnh", "Ngập nước": "Mỹ Phong"}
    made = [
        tickets.open_ticket("complaint", conversation=conversation, language="vi", words=words, fields={"place": place})
        for words, place in said.items()
    ]
    tickets.claim(made[0], officer)
    Ticket.objects.filter(pk=made[0].pk).update(deadline=timezone.now() - dt.timedelta(hours=1))
    office = Department.objects.create(slug="water", name_vi="Cấp thoát nước", name_en="Water")
    Ticket.objects.filter(pk=made[2].pk).update(department=office)
    return made


def test_filters_hold_together(as_user, officer, lamps):
    browser, late, free, wet = as_user(officer), *(each.number for each in lamps)
    assert numbers(browser) == [late, free, wet]
    assert numbers(browser, holder="me") == [late]
    assert numbers(browser, holder="nobody") == [free, wet]
    assert numbers(browser, overdue="1") == [late]
    assert numbers(browser, department="water") == [wet]
    assert numbers(browser, department="water", holder="me") == []
    assert numbers(browser, sort="newest") == [wet, free, late]
    assert numbers(browser, state="open", sort="deadline") == [free, wet]
    assert numbers(browser, holder="'", sort="'", overdue="'", q="  ") == [late, free, wet]
    assert numbers(browser, department="'") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [("den duong", 0), ("RÁC", 1), ("dao thanh", 1), ("my phong ngap", 2), ("hỏng rác", None), ("%", None)],
)
def test_words_and_forms_are_searched_without_accents(as_user, officer, lamps, query, found):
    expected = [] if found is None else [lamps[found].number]
    assert numbers(as_user(officer), q=query) == expected


def test_a_number_is_found_in_every_state_and_the_counts_follow_the_search(as_user, officer, lamps):
    tickets.close(lamps[1], officer)
    browser = as_user(officer)
    assert numbers(browser, q=lamps[1].number, state="all") == [lamps[1].number]
    context = browser.get(reverse(INDEX), {"q": "rac"}).context
    shown = {value: count for value, _, count, _ in context["states"]}
    assert (shown["waiting"], shown["closed"], shown["all"]) == (0, 1, 1)
    counted = {label: count for label, count, *_ in browser.get(reverse(INDEX)).context["shortcuts"]}
    assert list(counted.values()) == [1, 1, 1]


def test_no_filter_and_no_search_brings_a_press_ticket_to_a_desk_officer(as_user, officer, press, ticket, lamps):
    answers.answer(ticket, press, "The chairman sees you.", "Chủ tịch tiếp bạn.")
    browser = as_user(officer)
    for asked in (
        {"q": "Sarah"}, {"q": "BBC", "state": "all"}, {"q": ticket.number, "state": "all"}, {"q": "interview"},
        {"kind": "press", "state": "all"}, {"department": "culture", "state": "all"}, {"state": "proposed"},
    ):  # fmt: skip
        for address in (reverse(INDEX), reverse("desk_tickets:changed")):
            text = browser.get(address, asked).content.decode().replace(asked.get("q", "\0"), "")
            assert not any(word in text for word in (ticket.number, "Miller", "May I", "chairman", "Phòng Văn hóa"))
    context = browser.get(reverse(INDEX), {"state": "all"}).context
    assert {value: count for value, _, count, _ in context["states"]}["proposed"] == 0
    assert numbers(as_user(press), q="sarah bbc") == [ticket.number]


def test_nobody_without_tickets_gets_the_list_or_its_news(as_user, editor, client):
    for name in (INDEX, "desk_tickets:changed"):
        assert as_user(editor).get(reverse(name)).status_code == 404
        assert client.get(reverse(name)).status_code == 302


def test_the_list_says_what_waits_for_whom(as_user, press, second, ticket):
    answers.answer(ticket, press, "Yes.", "Vâng.")
    words = "yours to release"
    assert words not in as_user(press).get(reverse(INDEX)).content.decode()
    text = as_user(second).get(reverse(INDEX)).content.decode()
    assert words in text
    assert 'class="dk-row__by">press<' in text


def test_an_answer_that_did_not_arrive_shows_in_the_list(as_user, press, released, ticket):
    message = released(ticket, "Yes.").message
    browser = as_user(press)
    assert "check delivery" not in browser.get(reverse(INDEX), {"state": "all"}).content.decode()
    message.state = Delivery.BLOCKED
    message.save()
    assert "check delivery" in browser.get(reverse(INDEX), {"state": "all"}).content.decode()


def test_an_open_list_is_sent_anew_when_it_has_changed(as_user, officer, lamps):
    browser = as_user(officer)
    stamp = browser.get(reverse(INDEX), {"holder": "nobody"}).context["stamp"]
    changed = reverse("desk_tickets:changed")
    same = browser.get(changed, {"holder": "nobody", "stamp": stamp}).json()
    assert same == {"stamp": stamp, "waiting": 2}
    tickets.claim(lamps[1], officer)
    news = browser.get(changed, {"holder": "nobody", "stamp": stamp}).json()
    assert news["waiting"] == 1
    assert lamps[1].number not in news["html"]
    assert lamps[2].number in news["html"]


def test_a_filter_is_kept_from_page_to_page(as_user, officer):
    for number in range(52):
        tickets.open_ticket("other", conversation=None, language="vi", words=f"Số {number} ở chợ")
    browser = as_user(officer)
    text = browser.get(reverse(INDEX), {"q": "cho", "holder": "nobody"}).content.decode()
    assert "?state=waiting&amp;holder=nobody&amp;q=cho&amp;p=2" in text
    assert len(numbers(browser, q="cho", holder="nobody", p="2")) == 2
