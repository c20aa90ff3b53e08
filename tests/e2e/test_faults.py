"""What happens when a part is down: questions are answered, requests become tickets, nothing is lost."""

from __future__ import annotations

import json
import signal
import threading
import time

import httpx
import pytest

from tests.e2e.people import TelegramPerson, WebPerson
from tests.e2e.stack import Emulator, Stack, eventually

pytestmark = pytest.mark.e2e
KOREAN = "빈짱 사원은 몇 시에 열어요?"


def test_with_rasa_down_questions_are_answered_and_tickets_opened(stack: Stack, emulator: Emulator) -> None:
    with stack.without("rasa"):
        for person in (WebPerson(stack), TelegramPerson(stack, emulator)):
            heard = person.say(KOREAN)
            assert (heard.outcome, heard.entry, heard.language) == (
                "answered",
                "vinh-trang-opening-hours",
                "ko",
            )
            urgent = person.say("Help, there is a fire!")
            assert urgent.outcome == "emergency"
            assert "114" in urgent.text
            request = person.say("I am a journalist from Reuters and would like an interview with the mayor")
            assert request.outcome == "handed_off"
            [ticket] = stack.rows("select * from desk_ticket where number = ?", request.ticket)
            assert ticket["kind"] == "press"
            assert "Reuters" in ticket["words"]
            assert stack.turns(person.channel, person.chat)[0]["degraded"]
    healed = WebPerson(stack)
    assert healed.say(KOREAN).outcome == "answered"
    assert not stack.turns("web", healed.chat)[0]["degraded"]


def test_a_form_survives_a_restart_of_rasa(stack: Stack, web: WebPerson) -> None:
    web.say("I am a journalist and would like an interview with the mayor")
    assert "Which media outlet" in web.say("Anna Schmidt").text
    stack.stop("rasa")
    stack.start("rasa")
    assert "In which country" in web.say("The Guardian").text


def test_with_the_action_server_down_questions_are_answered(stack: Stack, web: WebPerson) -> None:
    with stack.without("actions"):
        heard = web.say(KOREAN)
        assert (heard.outcome, heard.entry) == ("answered", "vinh-trang-opening-hours")
        heard = web.say("I am a journalist from Reuters and would like an interview with the mayor")
        assert heard.texts
        assert heard.outcome in ("handed_off", "form")
    assert web.say("Xin chào").texts


def test_with_the_knowledge_service_down_the_desk_says_so_and_offers_a_person(stack: Stack, person) -> None:
    with stack.without("knowledge"):
        heard = person.say("When is Vĩnh Tràng Pagoda open?")
        assert heard.outcome == "failed"
        assert heard.texts
        assert "Talk to a person" in heard.labels
        heard = person.press("Talk to a person")
        assert heard.outcome in ("form", "handed_off")
        if heard.outcome == "form":
            heard = person.say("Please tell me when the pagoda opens, I am in front of it")
        assert heard.ticket
    person.say("thank you")
    assert person.say("When is Vĩnh Tràng Pagoda open?").outcome == "answered"


def test_a_locked_database_is_said_to_be_busy_and_nothing_is_lost(
    stack: Stack, telegram: TelegramPerson
) -> None:
    web = WebPerson(stack)
    web.say("xin chào")
    said = {"conversation": web.chat, "text": KOREAN, "message_id": "during the lock"}
    answers: list[httpx.Response] = []
    with stack.database() as connection:
        connection.execute("begin immediate")
        asking = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{stack.chat}/api/messages", json=said, timeout=60))
        )
        asking.start()
        time.sleep(0.2)
        telegram._post("/sendMessage", telegram.update(text=KOREAN))
        asking.join(45)
        assert not asking.is_alive()
        connection.execute("rollback")
    [busy] = answers
    assert (busy.status_code, busy.json()["error"]["code"]) == (503, "busy")
    assert int(busy.headers["retry-after"]) > 0
    again = httpx.post(f"{stack.chat}/api/messages", json=said, timeout=30).json()
    assert (again["outcome"], again["language"]) == ("answered", "ko")
    eventually(lambda: stack.turns("telegram", telegram.chat), 30, "the Telegram message was lost")
    assert telegram.hear(10)


def test_what_a_killed_bot_had_stored_is_answered_after_its_restart(stack: Stack, emulator: Emulator) -> None:
    web, telegram = WebPerson(stack), TelegramPerson(stack, emulator)
    web.say("xin chào")
    telegram.say("xin chào")
    stack.stop("bot", signal.SIGKILL)
    with stack.database() as connection:
        for person in (web, telegram):
            connection.execute(
                """insert into bot_update
                   (channel, external_id, conversation_id, payload, state, error, received_at)
                   select channel, ?, id, ?, 'received', '', datetime('now') from bot_conversation
                   where channel = ? and chat_id = ?""",
                (f"9{person.chat}"[:90], json.dumps({"text": KOREAN}), person.channel, person.chat),
            )
    stack.start("bot")
    for person in (web, telegram):
        eventually(
            lambda person=person: len(stack.turns(person.channel, person.chat)) == 2,
            20,
            lambda: stack.tail("bot"),
        )
        assert any("06:30" in text for text in person.hear(5))


def test_a_staff_answer_that_waits_goes_out_after_the_bot_was_killed(
    stack: Stack, telegram: TelegramPerson
) -> None:
    telegram.say("xin chào")
    stack.stop("bot", signal.SIGKILL)
    payload = {"text": "Chúng tôi đã nhận được.", "buttons": [], "language": "vi"}
    with stack.database() as connection:
        connection.execute(
            """insert into bot_message (conversation_id, author, text, payload, state, priority, attempts,
               external_id, error, revision, shown_revision, created_at)
               select id, 'staff', ?, ?, 'queued', 10, 0, '', '', 0, 0, datetime('now')
               from bot_conversation where channel = 'telegram' and chat_id = ?""",
            (payload["text"], json.dumps(payload), telegram.chat),
        )
    stack.start("bot")
    assert any("Chúng tôi đã nhận được." in text for text in telegram.hear(15))


def test_telegram_refusing_for_a_while_delays_a_message_and_loses_none(
    telegram: TelegramPerson, emulator: Emulator
) -> None:
    failure = {
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
    emulator.http.post("/fail", json={"chat_id": telegram.chat, "failure": failure})
    started = time.monotonic()
    assert telegram.say(KOREAN).entry == "vinh-trang-opening-hours"
    assert time.monotonic() - started > 0.9


def test_a_stopped_process_ends_cleanly_within_seconds(stack: Stack) -> None:
    for name in ("bot", "desk"):
        process = stack.processes[name]
        started = time.monotonic()
        stack.stop(name, signal.SIGINT)
        assert time.monotonic() - started < 8, f"{name} hangs"
        assert process.returncode in (0, -signal.SIGINT, 130)
        stack.start(name)
