"""Tickets as the staff work on them, through the real addresses of the console."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from bot.models import Author, Delivery, Handler, Message
from desk import answers, tickets
from desk.models import Answer, AnswerState, State, Ticket, TicketEvent


def page(ticket, name="detail", *more):
    return reverse(f"desk_tickets:{name}", args=[ticket.number, *more])


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_a_press_officer_sees_press_tickets_and_no_other(as_user, press, ticket, complaint):
    browser = as_user(press)
    text = browser.get(reverse("desk_tickets:index")).content.decode()
    assert ticket.number in text
    assert complaint.number not in text
    assert browser.get(page(ticket)).status_code == 200
    assert browser.get(page(complaint)).status_code == 404


@pytest.mark.parametrize("name", ["detail", "updates"])
def test_a_desk_officer_gets_404_for_a_press_ticket(as_user, officer, ticket, complaint, name):
    browser = as_user(officer)
    assert browser.get(page(ticket, name)).status_code == 404
    assert browser.get(page(complaint, name)).status_code == 200


def test_every_step_is_refused_to_somebody_who_may_not_see_the_ticket(as_user, officer, ticket):
    for step in ("claim", "answer", "note", "take-over", "give-back", "close", "reopen"):
        assert as_user(officer).post(page(ticket, "act", step), {"text": "x"}).status_code == 404
    assert ticket.events.count() == 1


def test_an_editor_has_no_tickets_and_a_stranger_no_console(as_user, editor, ticket, client):
    assert as_user(editor).get(reverse("desk_tickets:index")).status_code == 404
    assert "Phiếu / Tickets" not in as_user(editor).get(reverse("wagtailadmin_home")).content.decode()
    assert client.get(page(ticket)).headers["Location"].startswith(reverse("wagtailadmin_login"))


def test_a_press_answer_waits_for_a_second_person_and_is_then_queued(as_user, press, second, ticket):
    words = {"text": "  Yes, on Thursday.\r\nAt ten. ", "text_vi": "Vâng, thứ năm lúc mười giờ."}
    response = as_user(press).post(page(ticket, "act", "answer"), words, follow=True)
    assert said(response) == ["Câu trả lời chờ người thứ hai duyệt. / The answer awaits release by a second person."]
    assert not Message.objects.filter(author=Author.STAFF).exists()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.claimed_by_id) == (State.PROPOSED, press.pk)

    written = Answer.objects.get()
    with pytest.raises(tickets.TicketError, match="second person"):
        answers.release(written, press)
    answers.release(written, second)
    with pytest.raises(tickets.TicketError, match="await release any more"):
        answers.release(written, second)
    message = Message.objects.get(author=Author.STAFF)
    assert (message.text, message.state, message.ticket) == (
        "Yes, on Thursday.\nAt ten.",
        Delivery.QUEUED,
        ticket,
    )
    event = ticket.events.get(type=TicketEvent.Type.RELEASED)
    assert (event.actor_id, event.message) == (second.pk, message)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.claimed_by_id) == (State.ANSWERED, press.pk)
    assert Delivery.QUEUED.label in as_user(press).get(page(ticket)).content.decode()


def test_an_answer_sent_back_says_why_and_the_next_one_may_go_out(press, second, ticket):
    first = answers.answer(ticket, press, "Yes.", "Vâng.")
    with pytest.raises(tickets.TicketError, match="awaits its release"):
        answers.answer(ticket, second, "No.", "Không.")
    with pytest.raises(tickets.TicketError, match="Say why"):
        answers.send_back(first, second, " ")
    answers.send_back(first, second, "Thiếu ngày.")
    first.refresh_from_db()
    assert (first.state, first.reason, first.message) == (AnswerState.RETURNED, "Thiếu ngày.", None)
    ticket.refresh_from_db()
    assert ticket.state == State.CLAIMED
    assert answers.release(answers.answer(ticket, press, "On Monday.", "Thứ hai."), second).message.text == "On Monday."


def test_any_other_answer_goes_out_at_once(as_user, officer, complaint, conversation):
    complaint.conversation = conversation
    complaint.save()
    response = as_user(officer).post(page(complaint, "act", "answer"), {"text": "Cảm ơn bạn."}, follow=True)
    assert said(response) == ["Câu trả lời đã vào hàng chờ gửi. / The answer is queued."]
    assert complaint.events.get(type=TicketEvent.Type.ANSWER).message == Message.objects.get(author=Author.STAFF)


def test_a_refused_answer_is_explained_and_not_lost(as_user, press, ticket):
    tickets.close(ticket, press)
    response = as_user(press).post(
        page(ticket, "act", "answer"), {"text": "Too late, but kept", "text_vi": "Muộn"}, follow=True
    )
    assert "Phiếu đã đóng" in said(response)[0]
    assert not Message.objects.filter(author=Author.STAFF).exists()
    assert response.context["unsent"] == {"answer": {"text": "Too late, but kept", "text_vi": "Muộn"}}


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001])
def test_an_empty_or_endless_answer_is_refused(as_user, press, ticket, text):
    response = as_user(press).post(page(ticket, "act", "answer"), {"text": text}, follow=True)
    assert "4000" in said(response)[0]
    assert not Message.objects.filter(author=Author.STAFF).exists()


def test_of_two_who_claim_the_second_is_told_who_has_it(as_user, person, press, ticket):
    other = person("second", "desk.work_press")
    as_user(press).post(page(ticket, "act", "claim"))
    response = as_user(other).post(page(ticket, "act", "claim"), follow=True)
    assert said(response) == ["press đang xử lý phiếu này. / press is working on this ticket."]
    ticket.refresh_from_db()
    assert ticket.claimed_by_id == press.pk
    assert ticket.events.filter(type=TicketEvent.Type.CLAIMED).count() == 1


def test_taking_over_silences_the_machine_and_closing_lets_it_speak_again(
    as_user, press, ticket, conversation
):
    browser = as_user(press)
    browser.post(page(ticket, "act", "take-over"))
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.taken_by_id, conversation.epoch) == (
        Handler.STAFF,
        press.pk,
        1,
    )
    browser.post(page(ticket, "act", "close"))
    conversation.refresh_from_db()
    ticket.refresh_from_db()
    assert (conversation.handler, ticket.state) == (Handler.BOT, State.CLOSED)
    browser.post(page(ticket, "act", "reopen"))
    ticket.refresh_from_db()
    assert ticket.state == State.OPEN


def test_a_note_is_kept_for_colleagues_and_never_sent(as_user, press, ticket):
    response = as_user(press).post(page(ticket, "act", "note"), {"text": "Đã gọi phòng."}, follow=True)
    assert "Đã gọi phòng." in response.content.decode()
    assert not Message.objects.filter(author=Author.STAFF).exists()


def test_a_step_needs_post_and_must_exist(as_user, press, ticket):
    browser = as_user(press)
    assert browser.get(page(ticket, "act", "close")).status_code == 405
    assert browser.post(page(ticket, "act", "burn")).status_code == 404


def test_the_page_shows_the_form_in_words_and_escapes_what_people_write(as_user, press, ticket):
    text = as_user(press).get(page(ticket)).content.decode()
    for word in (
        "Sarah Miller",
        "Phỏng vấn / interview",
        "Không có hạn / no deadline",
        "Trong hội thoại này",
        "Telegram",
        "Phòng Văn hóa",
    ):
        assert word in text
    assert "<b>Who</b>" not in text
    assert "&lt;b&gt;Who&lt;/b&gt;" in text


def test_updates_tell_deliveries_and_new_messages_only(as_user, press, released, ticket, conversation):
    message = released(ticket, "Yes.").message
    browser = as_user(press)
    first = browser.get(page(ticket, "updates"), {"after": message.pk}).json()
    assert first["messages"] == []
    assert first["deliveries"] == {
        str(message.pk): {"state": "queued", "label": Delivery.QUEUED.label, "error": ""}
    }

    Message.objects.filter(pk=message.pk).update(state=Delivery.BLOCKED, error="Forbidden")
    new = Message.objects.create(
        conversation=conversation, author=Author.USER, text="<i>Thanks</i>", state=Delivery.DELIVERED
    )
    tickets.record_message(ticket, new.text)
    second = browser.get(page(ticket, "updates"), {"after": message.pk}).json()
    assert [each["text"] for each in second["messages"]] == ["<i>Thanks</i>"]
    assert "&lt;i&gt;" in second["messages"][0]["html"]
    assert second["deliveries"][str(message.pk)] == {
        "state": "blocked",
        "label": Delivery.BLOCKED.label,
        "error": "Forbidden",
    }
    assert second["last"] == new.pk
    assert second["state"] == State.CLAIMED
    assert browser.get(page(ticket, "updates"), {"after": "nonsense"}).status_code == 200


def test_a_deleted_conversation_leaves_a_readable_ticket(as_user, press, ticket, conversation):
    conversation.delete()
    response = as_user(press).get(page(ticket))
    assert "Người hỏi đã xóa hội thoại" in response.content.decode()
    assert as_user(press).get(page(ticket, "updates")).json()["messages"] == []
    assert (
        "xóa hội thoại"
        in said(as_user(press).post(page(ticket, "act", "answer"), {"text": "x", "text_vi": "x"}, follow=True))[0]
    )


def test_the_most_urgent_ticket_stands_first_and_filters_hold(as_user, press, ticket, conversation):
    soon = tickets.open_ticket(
        "press", conversation=conversation, language="ko", words="급합니다", deadline=timezone.now()
    )
    browser, address = as_user(press), reverse("desk_tickets:index")
    assert [each.number for each in browser.get(address).context["tickets"]] == [soon.number, ticket.number]
    tickets.close(soon, press)
    assert [each.number for each in browser.get(address).context["tickets"]] == [ticket.number]
    assert [each.number for each in browser.get(address, {"state": "closed"}).context["tickets"]] == [
        soon.number
    ]
    assert list(browser.get(address, {"state": "closed", "kind": "complaint"}).context["tickets"]) == []
    assert len(browser.get(address, {"state": "nonsense", "kind": "nonsense"}).context["tickets"]) == 2


def test_the_menu_counts_what_waits_and_hides_the_pages(as_user, press, ticket, complaint):
    text = as_user(press).get(reverse("wagtailadmin_home")).content.decode()
    assert "Tickets (1)" in text
    assert ticket.number in text
    assert complaint.number not in text
    assert '"explorer"' not in text


@pytest.mark.django_db(transaction=True)
def test_twenty_tickets_opened_at_once_have_twenty_numbers():
    errors, barrier = [], threading.Barrier(20)

    def work():
        try:
            barrier.wait(10)
            tickets.open_ticket("other", conversation=None, language="vi", words="x")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    numbers = sorted(Ticket.objects.values_list("number", flat=True))
    assert [int(number.rsplit("-", 1)[1]) for number in numbers] == list(range(1, 21))


def test_a_line_of_history_cannot_be_changed(ticket):
    event = ticket.events.get()
    event.text = "something else"
    with pytest.raises(TypeError, match="append-only"):
        event.save()
