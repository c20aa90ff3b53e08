"""The staff console in a browser: from the asker's first word to the delivered answer, and who sees what."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.people import Person, TelegramPerson, WebPerson
from tests.e2e.stack import Emulator, Stack, eventually

pytestmark = pytest.mark.e2e
ANSWER = "Dear Ms Schmidt, the chairman will see you on Monday at 9:00. — Press office"


def enter(page: Any) -> Any:
    """Press the one-time link's button."""
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page


def request_an_interview(person: Person) -> str:
    """Go through the whole press form and return the ticket's number."""
    person.say("I am a journalist and would like an interview with the mayor")
    for words in (
        "Anna Schmidt",
        "The Guardian",
        "United Kingdom",
        "How the merger changed the work of the boatmen",
    ):
        person.say(words)
    person.press("Interview")
    person.press("No deadline")
    person.press("This chat")
    heard = person.press("Send")
    assert heard.outcome == "handed_off", heard
    return heard.ticket


def open_ticket(page: Any, stack: Stack, number: str) -> None:
    page.goto(f"{stack.desk}/tickets/")
    page.get_by_role("link", name=number).first.click()
    page.locator("#dk-ticket").wait_for()


@pytest.mark.parametrize("channel", ["web", "telegram"])
def test_a_journalist_gets_the_press_officers_answer_in_the_same_chat(
    stack: Stack, emulator: Emulator, staff: Callable[[str], Any], channel: str
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
    page.locator("#dk-answer-text").fill(ANSWER)
    page.get_by_role("button", name="Send answer").click()
    said = person.hear(10)
    assert any(ANSWER in text for text in said)
    badge = page.locator(".dk-msg--staff .dk-badge").last
    eventually(
        lambda: "delivered" in badge.inner_text() or page.wait_for_timeout(100),
        15,
        lambda: badge.inner_text(),
    )
    [message] = stack.rows(
        "select m.* from bot_message m join desk_ticket t on t.id = m.ticket_id where t.number = ?", number
    )
    assert (message["author"], message["state"]) == ("staff", "delivered")
    events = stack.rows(
        """select e.type from desk_ticketevent e join desk_ticket t on t.id = e.ticket_id
           where t.number = ? order by e.id""",
        number,
    )
    assert [event["type"] for event in events][:3] == ["opened", "claimed", "answer"]


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
    eventually(
        lambda: "MT-" in chat.locator("#log").inner_text() or chat.wait_for_timeout(50), 10, "no ticket"
    )
    [ticket] = stack.rows("select * from desk_ticket where words = ?", words)
    page = enter(staff("desk"))
    open_ticket(page, stack, ticket["number"])
    page.locator("#dk-answer-text").fill("Chúng tôi sẽ sửa vào ngày mai.")
    page.get_by_role("button", name="Send answer").click()
    reply = chat.locator("#log article.staff")
    reply.wait_for()
    assert "Chúng tôi sẽ sửa vào ngày mai." in reply.inner_text()
    assert ticket["number"] in reply.inner_text()


def test_a_person_takes_the_conversation_over_and_gives_it_back(
    stack: Stack, staff: Callable[[str], Any], person: Person
) -> None:
    number = request_an_interview(person)
    page = enter(staff("press"))
    open_ticket(page, stack, number)
    page.get_by_role("button", name="Take over the chat").click()
    silent = person.say("When is Vĩnh Tràng Pagoda open?")
    assert (silent.outcome, silent.texts, silent.ticket) == ("handed_off", [], number)
    open_ticket(page, stack, number)
    assert "When is Vĩnh Tràng Pagoda open?" in page.locator("#dk-talk").inner_text()
    page.locator("#dk-answer-text").fill("A person is here.")
    page.get_by_role("button", name="Send answer").click()
    assert any("A person is here." in text for text in person.hear(10))
    page.get_by_role("button", name="Give back to the machine").click()
    assert person.say("When is Vĩnh Tràng Pagoda open?").outcome == "answered"


def test_only_press_officers_see_press_tickets(
    stack: Stack, staff: Callable[[str], Any], web: WebPerson
) -> None:
    number = request_an_interview(web)
    page = enter(staff("desk"))
    page.goto(f"{stack.desk}/tickets/?state=all")
    assert number not in page.content()
    assert page.goto(f"{stack.desk}/tickets/{number}/").status == 404
    page = enter(staff("editor"))
    assert page.goto(f"{stack.desk}/tickets/{number}/").status == 404


def test_a_login_link_works_once(stack: Stack, open_page: Callable[..., Any]) -> None:
    link = next(
        word for word in stack.manage("staff_login", "--role", "desk").split() if word.startswith("http")
    )
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
