"""SIGKILL of any process at any moment, while people ask and staff answer: nothing is lost, nothing is said twice.

CITYDESK_TEST_KILLS says how many (`make test-kills`: 100; without it nothing is killed). CITYDESK_TEST_SEED repeats a
run's choices, though not its timing.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.people import TelegramPerson
from tests.e2e.stack import Emulator, Stack, eventually, missing

KILLS = int(os.environ.get("CITYDESK_TEST_KILLS", "0"))
SEED = int(os.environ.get("CITYDESK_TEST_SEED", str(int(time.time()))))
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not KILLS, reason="takes minutes: `make test-kills`"),
]
# How often each is killed: those that hold a message on its way more often than those that only read.
WEIGHTS = {"bot": 9, "actions": 5, "desk": 5, "worker": 2, "knowledge": 2, "rasa": 2}
PATIENCE = 180.0
# Between two people who ask: the machine is to be killed at work, not to be loaded.
PAUSE = 1.0
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture(scope="module")
def own_stack(emulator: Emulator) -> Iterator[Stack]:
    if reason := missing():
        pytest.skip(reason)
    with Stack(telegram=emulator.url) as running:
        running.launch("worker")
        yield running


@pytest.fixture(autouse=True)
def everything_runs() -> None:
    """This module's stack is its own, and it is meant to be down now and then."""


class WebAsker:
    """Somebody who sends again, under the same id, until the desk has taken it: what the chat page does."""

    def __init__(self, stack: Stack, words: str) -> None:
        self.stack, self.words, self.chat = stack, words, str(uuid.uuid4())
        self.told: list[str] = []

    def run(self) -> None:
        """Ask for a person, say what for, send a file along."""
        for text in ("I want to talk to a person", self.words, self.words):
            body = self._post("/api/messages", json={"conversation": self.chat, "text": text})
            if body["ticket"]:
                self.told.append(body["ticket"])
                break
        assert self.told, f"{self.chat} was never told a number: {body}"
        self._post("/api/files", params={"conversation": self.chat, "name": "lamp.pdf"}, content=PDF)

    def _post(self, path: str, **request: Any) -> dict[str, Any]:
        name = str(uuid.uuid4())
        for part in ("json", "params"):
            if part in request:
                request[part] = {**request[part], "message_id": name}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                response = httpx.post(f"{self.stack.chat}{path}", timeout=40, **request)
                if response.status_code == 200:
                    return response.json()
                assert response.status_code in (429, 503), response.text
            except httpx.HTTPError:
                pass
            time.sleep(0.3)
        raise AssertionError(f"not taken in {PATIENCE:.0f} s: {path}")


class TelegramAsker(TelegramPerson):
    """Somebody on Telegram: what they send waits there until the bot fetches it."""

    def __init__(self, stack: Stack, emulator: Emulator, words: str) -> None:
        super().__init__(stack, emulator)
        self.words, self.told = words, []

    def run(self) -> None:
        """Ask for a person and say what for."""
        for count, text in enumerate(("I want to talk to a person", self.words, self.words), start=1):
            self._post("/sendMessage", self.update(text=text))
            turns = eventually(
                lambda count=count: (rows := self.stack.turns("telegram", self.chat))[count - 1 :] and rows,
                PATIENCE,
                f"the message {count} of {self.chat} has no turn",
            )
            if turns[-1]["ticket"]:
                self.told.append(turns[-1]["ticket"])
                return
        ended = [(turn["text"], turn["outcome"], turn["form"], turn["degraded"]) for turn in turns]
        raise AssertionError(f"{self.chat} was never told a number: {ended}")


class Officer:
    """A colleague in the console who looks whether a step was done before doing it again: what people do."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=stack.desk, timeout=20, follow_redirects=True)
        link = next(word for word in stack.manage("staff_login", "--role", "desk").split() if word.startswith("http"))
        page = self.http.get(link)
        self.http.post(link, data={"csrfmiddlewaretoken": _token(page.text)}).raise_for_status()

    def answer(self, number: str, text: str) -> None:
        """Answer a ticket."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.stack.rows(
                """select 1 from desk_answer a join desk_ticket t on t.id = a.ticket_id where t.number = ?""", number
            ):
                return
            try:
                page = self.http.get(f"/tickets/{number}/")
                if page.status_code == 200:
                    self.http.post(
                        f"/tickets/{number}/answer/",
                        data={"text": text, "text_vi": text, "csrfmiddlewaretoken": _token(page.text)},
                        headers={"Referer": f"{self.stack.desk}/tickets/{number}/"},
                    )
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"{number} could not be answered in {PATIENCE:.0f} s")


def _token(html: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)
    assert found, html[:300]
    return found.group(1)


def test_nothing_is_lost_and_nothing_is_said_twice(own_stack: Stack, emulator: Emulator) -> None:
    stack, choose = own_stack, random.Random(SEED)
    officer, errors, askers = Officer(stack), [], []
    over = threading.Event()

    def ask(number: int) -> None:
        while not over.is_set():
            words = f"The lamp {uuid.uuid4().hex[:8]} in my street is broken since Monday"
            asker = WebAsker(stack, words) if number % 2 else TelegramAsker(stack, emulator, words)
            askers.append(asker)
            _keep_error(errors, lambda asker=asker: _served(asker, officer))
            over.wait(PAUSE)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    killed = [_kill(stack, choose) for _ in range(KILLS)]
    over.set()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    counts = ", ".join(f"{name} {killed.count(name)}×" for name in WEIGHTS)
    sys.stdout.write(f"seed {SEED}: killed {counts}; {len(askers)} askers\n")
    assert errors == []
    assert len(askers) >= 4
    _settled(stack)
    for asker in askers:
        _check(stack, emulator, asker)
    stack.manage("verify_audit")  # fails when the chain is broken anywhere


def _served(asker: WebAsker | TelegramAsker, officer: Officer) -> None:
    asker.run()
    officer.answer(asker.told[0], f"Mended: {asker.words}")


def _keep_error(errors: list[str], act: Callable[[], Any]) -> None:
    try:
        act()
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}"[:500])


def _kill(stack: Stack, choose: random.Random) -> str:
    """Kill one process after a moment of chance, leave it down for another, start it again."""
    name = choose.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    time.sleep(choose.uniform(0.0, 1.0))
    stack.stop(name, signal.SIGKILL)
    time.sleep(choose.uniform(0.0, 0.3))
    if name == "worker":
        stack.launch(name)
    else:
        stack.start(name)
    return name


def _settled(stack: Stack) -> None:
    """Wait until everything that came in is worked off and everything to be sent has a final state."""

    def unfinished() -> list[dict[str, Any]]:
        return stack.rows(
            """select 'update' as kind, id, channel, state, received_at as since, error, null as attempts
               from bot_update where state = 'received'
               union all
               select 'message', m.id, c.channel, m.state, m.created_at, m.error, m.attempts
               from bot_message m join bot_conversation c on c.id = m.conversation_id
               where c.channel = 'telegram' and m.author != 'user' and m.state in ('queued', 'sending')
               and (m.state = 'queued' or m.not_before is null)"""
        )

    eventually(lambda: not unfinished(), 150, lambda: f"still unfinished {unfinished()}\n{stack.tail('bot')}")


def _check(stack: Stack, emulator: Emulator, asker: WebAsker | TelegramAsker) -> None:
    """One request, its words kept, its number told, answered exactly once or openly uncertain."""
    channel = "telegram" if isinstance(asker, TelegramAsker) else "web"
    found = stack.rows(
        """select t.id, t.number, t.words, t.state
           from desk_ticket t join bot_conversation c on c.id = t.conversation_id
           where c.channel = ? and c.chat_id = ?""",
        channel,
        asker.chat,
    )
    assert [row["number"] for row in found] == asker.told, f"{asker.chat}: {found}"
    [ticket] = found
    said = stack.rows(
        """select m.text from bot_message m join bot_conversation c on c.id = m.conversation_id
           where c.channel = ? and c.chat_id = ? and m.author = 'user' order by m.id""",
        channel,
        asker.chat,
    )
    assert len({row["text"] for row in said}) >= 1
    answers = stack.rows("select text, state from bot_message where ticket_id = ? and author = 'staff'", ticket["id"])
    assert [row["text"] for row in answers] == [f"Mended: {asker.words}"]
    if channel == "telegram":
        states = {row["state"] for row in answers}
        assert states <= {"delivered", "uncertain", "sending"}, states
        wait = {"chat_id": asker.number, "after": 0, "timeout": 1}
        heard = emulator.http.post("/wait", json=wait, timeout=10).json()
        times = sum(asker.words in str(each["message"].get("text")) for each in heard)
        assert times == 1 or (times == 0 and states != {"delivered"}), f"{asker.chat} got its answer {times} times"
    else:
        files = stack.rows("select state, path from desk_ticketfile where ticket_id = ?", ticket["id"])
        assert [row["state"] for row in files] == ["stored"], files
        assert (stack.folder / "files" / files[0]["path"]).read_bytes() == PDF
