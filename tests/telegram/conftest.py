"""python-telegram-bot's real application over a request that never leaves this process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from telegram.error import NetworkError
from telegram.request import BaseRequest, RequestData

from bot.conversation import Desk
from bot.dialogue import Dialogue
from bot.outbox import Outbox
from bot.telegram.channel import TelegramChannel, build_application
from knowledge.client import SearchClient

UPDATES = Path(__file__).resolve().parents[1] / "data" / "updates"
TOKEN = "666:offline"
ME = {"id": 666, "is_bot": True, "first_name": "Citydesk", "username": "TestNameBot"}


class OfflineRequest(BaseRequest):
    """Answers the Bot API's methods from a table and remembers every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failures: dict[str, list[tuple[int, dict[str, Any]] | Exception]] = {}

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, **_: Any
    ) -> tuple[int, bytes]:
        name = url.rsplit("/", 1)[1]
        parameters = dict(request_data.parameters) if request_data else {}
        self.calls.append((name, parameters))
        if self.failures.get(name):
            failure = self.failures[name].pop(0)
            if isinstance(failure, Exception):
                raise failure
            status, body = failure
            return status, json.dumps({"ok": False, "error_code": status, **body}).encode()
        return 200, json.dumps({"ok": True, "result": self._result(name, parameters)}).encode()

    def _result(self, name: str, parameters: dict[str, Any]) -> Any:
        if name == "getMe":
            return ME
        if name in ("sendMessage", "sendVenue"):
            chat = {"id": int(parameters["chat_id"]), "type": "private"}
            return {"message_id": 500 + len(self.calls), "date": 1795390000, "chat": chat}
        if name == "createForumTopic":
            return {"message_thread_id": 70 + len(self.calls), "name": parameters["name"], "icon_color": 1}
        return [] if name == "getUpdates" else True

    def sent(self, name: str = "sendMessage") -> list[dict[str, Any]]:
        """Return the parameters of every call of one method."""
        return [parameters for method, parameters in self.calls if method == name]

    def fail(self, name: str, status: int, description: str, **parameters: Any) -> None:
        """Make the next call of a method fail as Telegram would."""
        body = {"description": description, **({"parameters": parameters} if parameters else {})}
        self.failures.setdefault(name, []).append((status, body))

    def break_off(self, name: str, error: Exception, cause: Exception | None = None) -> None:
        """Make the next call of a method break off on the way."""
        error.__cause__ = cause
        self.failures.setdefault(name, []).append(error)


@pytest.fixture
def request_() -> OfflineRequest:
    return OfflineRequest()


@pytest.fixture
async def application(request_: OfflineRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The application that the bot process builds, with its requests going to `OfflineRequest`."""
    built = build_application(TOKEN, "https://api.telegram.org")
    built.bot._request = (request_, request_)
    await built.initialize()
    request_.calls.clear()
    yield built
    await built.shutdown()


@pytest.fixture
def rasa_items() -> list[dict[str, Any]]:
    return [{"text": "Xin <b>chào</b> & tạm biệt!"}, {"custom": {"kind": "turn", "outcome": "small_talk"}}]


@pytest.fixture
def channel(application: Any, rasa_items: list[dict[str, Any]], transactional_db: None) -> TelegramChannel:
    asked: list[dict[str, Any]] = []

    def rasa(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json=rasa_items)

    def search(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    desk = Desk(
        Dialogue("http://rasa", 10, transport=httpx.MockTransport(rasa)),
        SearchClient("http://knowledge", 5, transport=httpx.MockTransport(search)),
    )
    made = TelegramChannel(application, desk, Outbox(0.02))
    made.asked = asked  # type: ignore[attr-defined]
    return made


@pytest.fixture
def update() -> Callable[..., dict[str, Any]]:
    """Return an update of tests/data/updates by its name."""

    def read(name: str, **changes: Any) -> dict[str, Any]:
        return {**json.loads((UPDATES / f"{name}.json").read_text(encoding="utf-8")), **changes}

    return read


@pytest.fixture
def no_network() -> type[NetworkError]:
    return NetworkError
