"""Answers as they are written, released and sent back on a ticket's page: both texts, two people, nothing lost."""

from __future__ import annotations

import json
import re
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.urls import reverse

from bot.models import Author, Message
from desk import answers, tickets
from desk.management.commands.setup_roles import samples
from desk.models import Answer, AnswerState, AuditRecord, CannedReply, State, TicketEvent
from nlu.languages import LANGUAGES


def page(ticket, name="detail", *more):
    return reverse(f"desk_tickets:{name}", args=[ticket.number, *more])


def text_of(browser, ticket):
    return browser.get(page(ticket)).content.decode()


def part(browser, ticket, name):
    return browser.get(page(ticket, "updates"), {"stamp": "old"}).json()["parts"][name]


def said(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture(autouse=True)
def _nobody_looks():
    cache.clear()


@pytest.fixture
def proposed(press, ticket):
    return answers.answer(ticket, press, "Yes, on Thursday.", "Vâng, thứ năm.")


def test_a_press_answer_asks_for_both_texts_and_a_vietnamese_asker_for_one(as_user, press, ticket):
    form = part(as_user(press), ticket, "answer")
    assert re.search(r'name="text_vi"[^>]* required', form)
    assert re.search(r'name="text"[^>]* required[^>]* lang="en"', form)
    ticket.language = "vi"
    ticket.save()
    form = part(as_user(press), ticket, "answer")
    assert 'name="text_vi"' not in form
    as_user(press).post(page(ticket, "act", "answer"), {"text": "Vâng."})
    written = Answer.objects.get()
    assert (written.text, written.text_vi, written.state) == ("Vâng.", "Vâng.", AnswerState.PROPOSED)


def test_an_answer_to_anybody_else_needs_no_vietnamese_text_but_keeps_one(as_user, officer, conversation):
    lamp = tickets.open_ticket("complaint", conversation=conversation, language="en", words="A lamp is broken.")
    form = part(as_user(officer), lamp, "answer")
    assert re.search(r'name="text_vi"(?![^>]*required)', form)
    as_user(officer).post(page(lamp, "act", "answer"), {"text": "Thanks.", "text_vi": "Cảm ơn."})
    assert (Answer.objects.get().text_vi, Message.objects.get(author=Author.STAFF).text) == ("Cảm ơn.", "Thanks.")


def test_both_texts_come_back_into_the_form_after_a_refusal(as_user, press, ticket):
    browser = as_user(press)
    response = browser.post(page(ticket, "act", "answer"), {"text": "Only <English>", "text_vi": " "}, follow=True)
    assert "Bản tiếng Việt" in said(response)[0]
    assert "Only &lt;English&gt;</textarea>" in response.content.decode()
    response = browser.post(page(ticket, "act", "answer"), {"text": "x" * 4001, "text_vi": "Có đây"}, follow=True)
    assert "Có đây</textarea>" in response.content.decode()
    assert "x" * 4001 in response.content.decode()
    assert "Có đây" not in text_of(browser, ticket), "what was given back once is not kept any longer"


def test_the_second_person_sees_both_texts_and_releases_them(as_user, second, ticket, proposed):
    browser = as_user(second)
    shown = part(browser, ticket, "proposal")
    assert "Yes, on Thursday." in shown
    assert "Vâng, thứ năm." in shown
    assert page(ticket, "act", "release") in shown
    response = browser.post(page(ticket, "act", "release"), {"answer": proposed.pk}, follow=True)
    assert said(response) == ["Đã duyệt; câu trả lời đã vào hàng chờ gửi. / Released; the answer is queued."]
    assert Message.objects.get(author=Author.STAFF).text == "Yes, on Thursday."
    given = part(browser, ticket, "answers")
    assert "Vâng, thứ năm." in given
    assert "Đang chờ gửi / queued" in given


def test_its_author_is_told_to_wait_and_cannot_release_it_by_any_address(as_user, press, ticket, proposed):
    browser = as_user(press)
    shown = part(browser, ticket, "proposal")
    assert "waits for a second person" in shown
    assert page(ticket, "act", "release") not in shown
    response = browser.post(page(ticket, "act", "release"), {"answer": proposed.pk}, follow=True)
    assert "second person" in said(response)[0]
    assert not Message.objects.filter(author=Author.STAFF).exists()
    # Taking it back is the author's own affair.
    browser.post(page(ticket, "act", "send-back"), {"answer": proposed.pk, "reason": "Sai ngày."})
    proposed.refresh_from_db()
    assert (proposed.state, proposed.reason) == (AnswerState.RETURNED, "Sai ngày.")


def test_somebody_who_may_not_release_gets_no_button_and_no_way(as_user, person, ticket, proposed):
    browser = as_user(person("trainee", "desk.work_press"))
    shown = part(browser, ticket, "proposal")
    assert "<form" not in shown
    for step in ("release", "send-back"):
        response = browser.post(page(ticket, "act", step), {"answer": proposed.pk, "reason": "x"}, follow=True)
        assert "quyền" in said(response)[0]
    proposed.refresh_from_db()
    assert proposed.state == AnswerState.PROPOSED


def test_an_answer_of_another_ticket_cannot_be_released_through_ones_own(as_user, second, officer, complaint, proposed):
    for key in (proposed.pk, "", "x", 10**6):
        assert as_user(officer).post(page(complaint, "act", "release"), {"answer": key}).status_code == 404
    assert as_user(second).post(page(proposed.ticket, "act", "release"), {"answer": "1x"}).status_code == 404


def test_an_answer_sent_back_stays_on_the_page_with_its_reason(as_user, press, second, ticket, proposed):
    browser = as_user(second)
    response = browser.post(page(ticket, "act", "send-back"), {"answer": proposed.pk, "reason": " "}, follow=True)
    assert "Say why" in said(response)[0]
    browser.post(page(ticket, "act", "send-back"), {"answer": proposed.pk, "reason": "Thiếu ngày.\nVà giờ."})
    browser = as_user(press)
    given = part(browser, ticket, "answers")
    for words in ("Trả lại để sửa / sent back", "Thiếu ngày.<br>Và giờ.", "Vâng, thứ năm.", "Yes, on Thursday."):
        assert words in given
    assert "Thiếu ngày." in part(browser, ticket, "history")
    assert 'name="text_vi"' in part(browser, ticket, "answer")


def test_an_answer_written_beside_a_colleagues_is_stopped_once_and_then_sent_knowingly(
    as_user, person, officer, conversation
):
    lamp = tickets.open_ticket("complaint", conversation=conversation, language="en", words="A lamp is broken.")
    browser = as_user(officer)
    seen = browser.get(page(lamp)).context["seen"]
    colleague = person("hoa", "desk.work_tickets")
    answers.answer(lamp, colleague, "It is mended tomorrow.")
    words = {"text": "Which lamp?", "text_vi": "Đèn nào?"}
    response = browser.post(page(lamp, "act", "answer"), {**words, "seen": seen}, follow=True)
    assert "hoa" in said(response)[0]
    assert Message.objects.filter(author=Author.STAFF).count() == 1
    shown = response.content.decode()
    assert "Which lamp?</textarea>" in shown
    assert "It is mended tomorrow." in shown
    browser.post(page(lamp, "act", "answer"), {**words, "seen": response.context["seen"]})
    assert [each.text for each in Answer.objects.order_by("pk")] == ["It is mended tomorrow.", "Which lamp?"]


def test_ones_own_steps_and_the_askers_words_stop_no_answer(as_user, officer, conversation):
    lamp = tickets.open_ticket("complaint", conversation=conversation, language="en", words="A lamp is broken.")
    browser = as_user(officer)
    seen = browser.get(page(lamp)).context["seen"]
    tickets.claim(lamp, officer)
    tickets.record_message(lamp, "Hello?")
    browser.post(page(lamp, "act", "answer"), {"text": "We come.", "seen": seen})
    assert Message.objects.get(author=Author.STAFF).text == "We come."


def test_canned_replies_are_offered_by_kind_in_the_askers_language(as_user, press, ticket):
    ticket.language = "ko"
    ticket.save()
    CannedReply.objects.create(title="Mọi loại", text_vi="Xin chào </script>", text_ko="안녕하세요")
    CannedReply.objects.create(title="Báo chí", kind="press", text_vi="Chào anh chị")
    CannedReply.objects.create(title="Phản ánh", kind="complaint", text_vi="Cảm ơn phản ánh")
    shown = part(as_user(press), ticket, "answer")
    held = re.search(r'<script id="dk-replies" type="application/json">(.*?)</script>', shown, re.DOTALL).group(1)
    assert [(each["title"], each["text"], each["text_vi"]) for each in json.loads(held)] == [
        ("Báo chí", "", "Chào anh chị"),
        ("Mọi loại", "안녕하세요", "Xin chào </script>"),
    ]
    assert "not in 한국어" in shown
    assert "Cảm ơn phản ánh" not in shown


def test_a_new_desk_starts_with_replies_in_all_languages_and_keeps_what_staff_made_of_them(db):
    call_command("setup_roles", stdout=StringIO())
    assert CannedReply.objects.count() == len(samples()) >= 3
    for reply in CannedReply.objects.all():
        assert all(len(reply.text(language.code)) > 20 for language in LANGUAGES), reply.title
    CannedReply.objects.exclude(pk=CannedReply.objects.first().pk).delete()
    call_command("setup_roles", stdout=StringIO())
    assert CannedReply.objects.count() == 1


def test_staff_change_canned_replies_and_heads_alone_say_who_is_who_on_telegram(as_user, person):
    officer = as_user(person("o", "desk.view_cannedreply", "desk.add_cannedreply", "desk.change_cannedreply"))
    add = reverse("wagtailsnippets_desk_cannedreply:add")
    data = {"title": "Chào / Hello", "kind": "", "text_vi": "Xin chào."} | {
        f"text_{language.code}": "" for language in LANGUAGES if language.code != "vi"
    }
    assert officer.post(add, data).status_code == 302
    assert CannedReply.objects.get().text_vi == "Xin chào."
    colleagues = reverse("wagtailsnippets_desk_colleague:add")
    assert officer.get(colleagues).headers["Location"] == reverse("wagtailadmin_home")
    head = person("h", "desk.add_colleague")
    assert as_user(head).post(colleagues, {"user": head.pk, "telegram_id": "42"}).status_code == 302
    assert head.telegram.telegram_id == 42


def test_every_opening_of_a_ticket_is_in_the_audit_log_and_no_poll(as_user, press, officer, ticket):
    browser = as_user(press)
    browser.get(page(ticket))
    browser.get(page(ticket, "updates"), {"stamp": "old"})
    as_user(officer).get(page(ticket))
    viewed = AuditRecord.objects.filter(action="viewed")
    assert [(each.actor, each.subject, each.press) for each in viewed] == [("press", ticket.number, True)]


def test_colleagues_on_the_same_ticket_see_each_other_for_a_while(as_user, press, second, ticket, monkeypatch):
    one, two = as_user(press), as_user(second)
    assert one.get(page(ticket)).context["viewers"] == []
    assert two.get(page(ticket)).context["viewers"] == ["press"]
    assert one.get(page(ticket, "updates")).json()["viewers"] == ["second"]
    import time

    now = time.time()
    monkeypatch.setattr("desk.viewers.time.time", lambda: now + 60)
    assert one.get(page(ticket, "updates")).json()["viewers"] == []


def test_the_parts_of_a_page_are_sent_when_the_ticket_has_changed_and_only_then(as_user, press, second, ticket):
    browser = as_user(press)
    stamp = browser.get(page(ticket)).context["stamp"]
    assert browser.get(page(ticket, "updates"), {"stamp": stamp}).json()["parts"] == {}
    tickets.claim(ticket, second)
    news = browser.get(page(ticket, "updates"), {"stamp": stamp}).json()
    assert "second" in news["parts"]["head"]
    assert "csrfmiddlewaretoken" in news["parts"]["answer"]
    assert browser.get(page(ticket, "updates"), {"stamp": news["stamp"]}).json()["parts"] == {}
    tickets.take_over(ticket, second)
    news = browser.get(page(ticket, "updates"), {"stamp": news["stamp"]}).json()
    assert "second đang trả lời" in news["parts"]["head"]
    assert ticket.events.filter(type=TicketEvent.Type.TAKEN_OVER).exists()
    ticket.refresh_from_db()
    assert ticket.state == State.CLAIMED


def test_whoever_types_is_there_and_whoever_only_has_the_page_open_is_not(as_user, press, ticket, monkeypatch):
    import time

    now = time.time()
    hour = 60 * 60

    def at(seconds, name):
        monkeypatch.setattr("desk.security.time.time", lambda: now + seconds)
        return browser.get(page(ticket, name)).status_code

    browser = as_user(press)
    assert at(0, "detail") == 200
    assert [at(hour * 0.9, "here"), at(hour * 1.5, "here"), at(hour * 2.4, "updates")] == [204, 204, 200]
    assert at(hour * 2.6, "updates") == 302, "polls keep nobody logged in"


def test_a_page_gets_the_token_of_a_new_login(press, ticket):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(press)
    browser.get(page(ticket))
    token = browser.get(page(ticket, "updates")).json()["token"]
    assert browser.post(page(ticket, "act", "claim"), {"csrfmiddlewaretoken": "old" * 20}).status_code == 403
    assert browser.post(page(ticket, "act", "claim"), {"csrfmiddlewaretoken": token}).status_code == 302
    ticket.refresh_from_db()
    assert ticket.claimed_by == press
