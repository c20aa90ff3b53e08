"""People who talk to the desk: one in the web chat, one in Telegram, with the same few gestures."""

from __future__ import annotations

import itertools
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from tests.e2e.stack import TOKEN, Emulator, Stack, eventually

_ids = itertools.count(int(time.time()) % 100_000 * 1000)


@dataclass
class Heard:
    """What one message led to: the outcome in the database, and what the person saw."""

    outcome: str
    language: str
    entry: str
    ticket: str
    form: str
    texts: list[str]
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return everything that was said, in one."""
        return "\n".join(self.texts)

    @property
    def labels(self) -> list[str]:
        """Return the labels of all buttons."""
        return [label for label, _ in self.buttons]


class Person(Protocol):
    """Somebody in one chat on one channel."""

    channel: str
    chat: str

    def say(self, text: str) -> Heard:
        """Write something and read what comes back."""

    def press(self, label: str) -> Heard:
        """Press the button with this label among those seen last."""

    def hear(self, seconds: float) -> list[str]:
        """Return what is said without being asked, waiting for it."""


class WebPerson:
    """Somebody in the web chat, over the JSON API."""

    channel = "web"

    def __init__(self, stack: Stack, chat: str | None = None) -> None:
        self.stack, self.chat = stack, chat or str(uuid.uuid4())
        self.http = httpx.Client(base_url=stack.chat, timeout=60)
        self.seen = 0
        self.buttons: list[tuple[str, str]] = []

    def send(self, **said: Any) -> dict[str, Any]:
        """Post to the API and return its answer."""
        response = self.http.post("/api/messages", json={"conversation": self.chat, **said})
        assert response.status_code == 200, response.text
        return response.json()

    def say(self, text: str) -> Heard:
        return self._heard(self.send(text=text))

    def press(self, label: str) -> Heard:
        return self._heard(self.send(button=_find(self.buttons, label)))

    def hear(self, seconds: float) -> list[str]:
        def later() -> list[dict[str, Any]]:
            return self.http.get(
                "/api/messages", params={"conversation": self.chat, "after": self.seen}
            ).json()["replies"]

        replies = eventually(later, seconds, f"nothing new in the web chat {self.chat}")
        self.seen = replies[-1]["id"]
        return [reply["text"] for reply in replies]

    def _heard(self, body: dict[str, Any]) -> Heard:
        replies = body["replies"]
        self.seen = max([self.seen, *(reply["id"] for reply in replies)])
        buttons = [(button["label"], button["id"]) for reply in replies for button in reply["buttons"]]
        self.buttons = buttons or self.buttons
        turn = self.stack.turns("web", self.chat)[-1]
        assert turn["outcome"] == body["outcome"]
        return Heard(
            body["outcome"],
            body["language"],
            turn["entry"],
            body["ticket"] or "",
            body["form"] or "",
            [reply["text"] for reply in replies],
            buttons,
        )


class TelegramPerson:
    """Somebody in a private Telegram chat, through the emulator."""

    channel = "telegram"

    def __init__(self, stack: Stack, emulator: Emulator, language: str | None = None) -> None:
        self.stack, self.emulator = stack, emulator
        self.number = next(_ids)
        self.chat = str(self.number)
        self.language = language
        self.seen = 0
        self.messages: list[dict[str, Any]] = []
        self.buttons: list[tuple[str, str]] = []

    def update(self, **fields: Any) -> dict[str, Any]:
        """Return the common part of what this person sends."""
        sender = {"id": self.number, "is_bot": False, "first_name": "Minh", "username": f"u{self.number}"}
        if self.language:
            sender["language_code"] = self.language
        chat = {"id": self.number, "type": "private", "first_name": "Minh"}
        return {"botToken": TOKEN, "from": sender, "chat": chat, "date": int(time.time()), **fields}

    def say(self, text: str) -> Heard:
        return self._turn(lambda: self._post("/sendMessage", self.update(text=text)))

    def command(self, text: str) -> Heard:
        """Send a menu command."""
        entity = {"offset": 0, "length": len(text.split()[0]), "type": "bot_command"}
        return self._turn(lambda: self._post("/sendCommand", self.update(text=text, entities=[entity])))

    def send(self, **fields: Any) -> Heard:
        """Send a message of another kind (a photo, a place …)."""
        return self._turn(lambda: self._post("/sendMessage", self.update(**fields)))

    def press(self, label: str) -> Heard:
        data = _find(self.buttons, label)
        query = self.update(data=data)
        query["message"] = {"message_id": 1, "chat": query.pop("chat"), "date": query.pop("date")}
        return self._turn(lambda: self._post("/sendCallback", query))

    def hear(self, seconds: float) -> list[str]:
        return [_text(message) for message in self._new(seconds)]

    def _post(self, path: str, body: dict[str, Any]) -> None:
        response = self.emulator.http.post(path, json=body)
        assert response.json().get("ok"), response.text

    def _new(self, seconds: float) -> list[dict[str, Any]]:
        wait = {"chat_id": self.number, "after": self.seen, "timeout": seconds}
        found = self.emulator.http.post("/wait", json=wait, timeout=seconds + 10).json()
        assert found, f"nothing new in the Telegram chat {self.chat}"
        self.seen = max(each["messageId"] for each in found)
        self.messages += [each["message"] for each in found]
        return [each["message"] for each in found]

    def _turn(self, act: Any) -> Heard:
        before = len(self.stack.turns("telegram", self.chat))
        act()

        def done() -> dict[str, Any] | None:
            turns = self.stack.turns("telegram", self.chat)
            return turns[-1] if len(turns) > before and not turns[-1]["waiting"] else None

        turn = eventually(
            done, 30, lambda: f"no turn for Telegram chat {self.chat}\n{self.stack.tail('bot')}"
        )
        silent = not self.stack.rows(
            "select 1 from bot_message where turn_id = ? and state = 'delivered'", turn["id"]
        )
        messages = [] if silent else self._new(5)
        buttons = [
            (button["text"], button["callback_data"])
            for message in messages
            for row in (message.get("reply_markup") or {}).get("inline_keyboard", [])
            for button in row
        ]
        self.buttons = buttons or self.buttons
        return Heard(
            turn["outcome"],
            turn["language_now"],
            turn["entry"],
            turn["ticket"],
            turn["form"],
            [_text(message) for message in messages],
            buttons,
        )


def _find(buttons: list[tuple[str, str]], label: str) -> str:
    for text, identifier in buttons:
        if text == label or (text.endswith("…") and label.startswith(text[:-1])):
            return identifier
    raise AssertionError(f"No button {label!r} among {[text for text, _ in buttons]}")


def _text(message: dict[str, Any]) -> str:
    """Return a Telegram message's text as a reader sees it, without its HTML."""
    import html
    import re

    if message.get("parse_mode") != "HTML":
        return message["text"]
    return html.unescape(re.sub(r"<[^>]+>", "", message["text"]))
