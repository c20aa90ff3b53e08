"""The staff console in a browser: from the asker's first word to the delivered answer, and who sees what."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.people import TelegramPerson, WebPerson
from tests.e2e.stack import Emulator, Stack, eventually

pytestmark = pytest.mark.e2e
ANSWER = "Dear Ms Schmidt, the chairman will see you on Monday at 9:00. — Press office"
ANSWER_VI = "Kính gửi bà Schmidt, Chủ tịch sẽ tiếp bà lúc 9 giờ thứ hai. — Bộ phận báo chí"
# What a journalist says or presses when the form asks for it, whatever the form already knows from the first message.
SAYS = {
    "press_name": "Anna Schmidt",
    "press_outlet": "The Guardian",
    "press_country": "United Kingdom",
    "press_subject": "How the merger changed the work of the boatmen",
}
PRESSES = {
    "press_format": "Interview",
    "press_deadline": "No deadline",
    "press_consent": "I agree",
    "press_contact": "This chat",
    "press_confirm": "Send",
}


def enter(page: Any) -> Any:
    """Press the one-time link's button."""
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page


def request_an_interview(person: WebPerson | TelegramPerson) -> str:
    """Go through the whole press form and return the ticket's number."""
    heard = person.say("I am a journalist and would like an interview with the mayor")
    for _ in range(len(SAYS) + len(PRESSES)):
        asked = person.stack.turns(person.channel, person.chat)[-1]["requested"]
        heard = person.say(SAYS[asked]) if asked in SAYS else person.press(PRESSES[asked])
        if heard.outcome == "handed_off":
            return heard.ticket
    raise AssertionError(heard)


def propose(page: Any, text: str, text_vi: str) -> None:
    """Write a press answer in both languages and put it up for release."""
    page.locator("#dk-answer-vi").fill(text_vi)
    page.locator("#dk-answer-text").fill(text)
    page.get_by_role("button", name="Put up for release").click()
    page.get_by_text("waits for a second person").wait_for()


def open_ticket(page: Any, stack: Stack, number: str) -> None:
    page.goto(f"{stack.desk}/tickets/")
    page.get_by_role("link", name=number).first.click()
    page.locator("#dk-ticket").wait_for()


@pytest.mark.parametrize("channel", ["web", "telegram"])
def test_a_journalist_gets_the_answer_that_a_second_officer_released(
    stack: Stack, emulator: Emulator, staff: Callable[..., Any], channel: str
) -> None:
    person = WebPerson(stack) if channel == "web" else TelegramPerson(stack, emulator)
    number = request_an_interview(person)
    page = enter(staff("press"))
    assert number in page.content()
    open_ticket(page, stack, number)
    shown = page.locator("#dk-ticket").inner_text()
    for words in ("Anna Schmidt", "The Guardian", "United Kingdom", "the boatmen", "I am a journalist"):
        assert words in shown
    page.get_by_role("button", name="Claim").click()
    # The second officer has the page open before there is anything to release; it comes by itself.
    second = enter(staff("press", "press-two", viewport={"width": 390, "height": 844}))
    open_ticket(second, stack, number)
    propose(page, ANSWER, ANSWER_VI)
    assert page.get_by_role("button", name="Release and send").count() == 0
    second.get_by_role("button", name="Release and send").wait_for()
    assert ANSWER_VI in second.locator("#dk-proposal").inner_text()
    assert second.evaluate("document.documentElement.scrollWidth") <= 390
    assert "press" in second.locator("#dk-viewers").inner_text()
    second.get_by_role("button", name="Release and send").click()
    said = person.hear(10)
    assert any(ANSWER in text for text in said)
    assert not any(ANSWER_VI in text for text in said)
    badge = page.locator("#dk-talk .dk-msg--staff .dk-badge").last
    eventually(
        lambda: "delivered" in badge.inner_text() or page.wait_for_timeout(100),
        15,
        lambda: badge.inner_text(),
    )
    [message] = stack.rows(
        "select m.* from bot_message m join desk_ticket t on t.id = m.ticket_id where t.number = ?"
        " and m.author = 'staff'",
        number,
    )
    assert message["state"] == "delivered"
    [answer] = stack.rows("select * from desk_answer where message_id = ?", message["id"])
    assert (answer["text"], answer["text_vi"]) == (ANSWER, ANSWER_VI)
    assert answer["author_id"] != answer["reviewer_id"]
    events = stack.rows(
        """select e.type from desk_ticketevent e join desk_ticket t on t.id = e.ticket_id
           where t.number = ? order by e.id""",
        number,
    )
    assert [event["type"] for event in events][:4] == ["opened", "claimed", "proposed", "released"]


def test_the_answer_appears_on_the_open_web_page_by_itself(
    stack: Stack, staff: Callable[[str], Any], open_page: Callable[..., Any]
) -> None:
    chat = open_page(f"{stack.chat}/", locale="vi-VN")
    chat.get_by_role("textbox").fill("Tôi muốn gặp cán bộ")
    chat.keyboard.press("Enter")
    eventually(lambda: chat.locator("#log article.reply").count() or chat.wait_for_timeout(50), 10)
    words = f"Đèn đường trước nhà tôi hỏng đã ba tuần rồi {uuid.uuid4().hex[:6]}"
    chat.get_by_role("textbox").fill(words)
    chat.keyboard.press("Enter")
    eventually(lambda: "MT-" in chat.locator("#log").inner_text() or chat.wait_for_timeout(50), 10, "no ticket")
    [ticket] = stack.rows("select * from desk_ticket where words = ?", words)
    page = enter(staff("desk"))
    open_ticket(page, stack, ticket["number"])
    assert page.locator("#dk-answer-vi").count() == 0, "a Vietnamese asker gets the one Vietnamese text"
    page.locator("#dk-canned").select_option(label="Đã nhận yêu cầu / Request received")
    assert "Chúng tôi đã nhận được yêu cầu" in page.locator("#dk-answer-text").input_value()
    page.locator("#dk-answer-text").fill("Chúng tôi sẽ sửa vào ngày mai.")
    page.get_by_role("button", name="Send answer").click()
    reply = chat.locator("#log article.staff")
    reply.wait_for()
    assert "Chúng tôi sẽ sửa vào ngày mai." in reply.inner_text()
    assert ticket["number"] in reply.inner_text()


def test_a_person_takes_the_conversation_over_and_gives_it_back(
    stack: Stack, staff: Callable[..., Any], person: WebPerson | TelegramPerson
) -> None:
    number = request_an_interview(person)
    page = enter(staff("press"))
    open_ticket(page, stack, number)
    page.get_by_role("button", name="Take over the chat").click()
    page.get_by_role("button", name="Give back to the machine").wait_for()
    page.locator("#dk-answer-text").fill("A person is here.")
    silent = person.say("When is Vĩnh Tràng Pagoda open?")
    assert (silent.outcome, silent.texts, silent.ticket) == ("handed_off", [], number)
    # The open page shows what the asker writes, and leaves alone what is being written meanwhile.
    page.locator("#dk-talk").get_by_text("When is Vĩnh Tràng Pagoda open?").wait_for()
    assert page.locator("#dk-answer-text").input_value() == "A person is here."
    propose(page, "A person is here.", "Có người đây.")
    second = enter(staff("press", "press-two"))
    open_ticket(second, stack, number)
    second.get_by_role("button", name="Release and send").click()
    assert any("A person is here." in text for text in person.hear(10))
    page.get_by_role("button", name="Give back to the machine").click()
    assert person.say("When is Vĩnh Tràng Pagoda open?").outcome == "answered"


def test_only_press_officers_see_press_tickets(stack: Stack, staff: Callable[[str], Any], web: WebPerson) -> None:
    number = request_an_interview(web)
    page = enter(staff("desk"))
    page.goto(f"{stack.desk}/tickets/?state=all")
    assert number not in page.content()
    assert page.goto(f"{stack.desk}/tickets/{number}/").status == 404
    page = enter(staff("editor"))
    assert page.goto(f"{stack.desk}/tickets/{number}/").status == 404


def test_a_login_link_works_once(stack: Stack, open_page: Callable[..., Any]) -> None:
    link = next(word for word in stack.manage("staff_login", "--role", "desk").split() if word.startswith("http"))
    enter(open_page(link))
    again = open_page(link)
    again.get_by_role("button", name="Log in").click()
    again.get_by_role("alert").wait_for()
    assert "used already" in again.get_by_role("alert").inner_text()


def test_nobody_gets_in_without_a_login(stack: Stack) -> None:
    for path in ("/", "/tickets/", "/tickets/MT-2026-0001/", "/tickets/MT-2026-0001/updates/"):
        response = httpx.get(f"{stack.desk}{path}", follow_redirects=False)
        assert response.status_code == 302
        assert "/login/" in response.headers["location"]
    assert httpx.get(f"{stack.desk}/login/once/forged").status_code == 200
    assert httpx.post(f"{stack.desk}/tickets/MT-2026-0001/answer/", data={"text": "x"}).status_code in (
        302,
        403,
    )
