"""Real parts around one fake: the dialogue engine and the search service answer what the test says."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from bot.conversation import Desk
from bot.dialogue import Dialogue
from knowledge.client import SearchClient
from knowledge.models import Department, Entry, Source, Translation

ROOT = Path(__file__).resolve().parents[2]
Handler = Callable[[httpx.Request], httpx.Response]


class FakeRasa:
    """Rasa's REST channel: answers with `items`, remembers what it was sent."""

    def __init__(self) -> None:
        self.items: Any = [{"text": "Xin chào!"}, {"custom": {"kind": "turn", "outcome": "small_talk"}}]
        self.error: Exception | None = None
        self.during: Callable[[], Any] | None = None
        self.sent: list[dict[str, Any]] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        if self.during:
            await self.during()
        if self.error:
            raise self.error
        return httpx.Response(200, json=self.items)

    def answers(self, entry: str, language: str = "vi", **turn: Any) -> None:
        """Make the next replies an approved answer."""
        self.items = [
            {"custom": {"kind": "answer", "entry": entry}},
            {
                "custom": {
                    "kind": "turn",
                    "outcome": "answered",
                    "intent": "ask",
                    "entry": entry,
                    "entry_language": language,
                    "score": 0.93,
                    "near": [],
                    **turn,
                }
            },
        ]


class FakeSearch:
    """The search service: answers with `found`, or is down when that is None."""

    def __init__(self) -> None:
        self.found: dict[str, Any] | None = None
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        if self.found is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=self.found)


@pytest.fixture
def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
def search() -> FakeSearch:
    return FakeSearch()


@pytest.fixture
def bot_desk(rasa: FakeRasa, search: FakeSearch, transactional_db: None) -> Desk:
    """The one path of a message, on a real database."""
    return Desk(
        Dialogue("http://rasa", 10, transport=httpx.MockTransport(rasa)),
        SearchClient("http://knowledge", 5, transport=httpx.MockTransport(search)),
    )


@pytest.fixture
def pagoda(transactional_db: None) -> Entry:
    """An entry that may be answered, in Vietnamese, English and Korean."""
    department, _ = Department.objects.get_or_create(
        slug="tourism",
        defaults={"name_vi": "Phòng Du lịch", "name_en": "Tourism office", "handles": ["press", "other"]},
    )
    entry = Entry.objects.create(
        slug="pagoda-hours",
        category="tourism",
        department=department,
        verified_on=dt.date(2026, 11, 1),
        place_name="Chùa Vĩnh Tràng",
        latitude=10.36,
        longitude=106.37,
        address="Mỹ Tho",
        live=True,
    )
    Source.objects.create(
        entry=entry, title="Cổng thông tin", url="https://example.org/chua", seen_on=dt.date(2026, 11, 1)
    )
    for language, question, answer in (
        ("vi", "Chùa Vĩnh Tràng mở cửa lúc nào?", "Mở cửa 7:00–11:30 và 13:30–17:30."),
        ("en", "When does the pagoda open?", "Open 7:00–11:30 and 13:30–17:30."),
        ("ko", "사원은 언제 열어요?", "7:00–11:30, 13:30–17:30에 엽니다."),
    ):
        Translation.objects.create(
            entry=entry, language=language, question=question, answer=answer, live=True
        )
    return entry


class Memory:
    """Rasa's file as nlu/tracker_store.py lays it out: the schema is read from there, Rasa itself is not needed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        source = (ROOT / "nlu" / "tracker_store.py").read_text(encoding="utf-8")
        schema = next(
            ast.literal_eval(node.value)
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign) and node.targets[0].id == "_SCHEMA"
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(schema)

    def write(self, sender: str, *texts: str, began: float | None = None) -> None:
        """Remember what was said in a session of a conversation."""
        with contextlib.closing(sqlite3.connect(self.file)) as connection, connection:
            connection.executemany(
                "INSERT INTO dialogue_events VALUES (?, ?, ?, ?)",
                [
                    (sender, position, began or time.time(), json.dumps({"text": text}))
                    for position, text in enumerate(texts)
                ],
            )

    def senders(self) -> set[str]:
        """Return whose dialogues are remembered."""
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            return {sender for (sender,) in connection.execute("SELECT sender FROM dialogue_events")}


@pytest.fixture
def memory(settings: Any, tmp_path: Path) -> Memory:
    """What Rasa remembers, in a file of this test's own."""
    settings.RASA_TRACKERS = tmp_path / "rasa" / "trackers.sqlite3"
    return Memory(settings.RASA_TRACKERS)


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the files of askers lie, for this test alone."""
    settings.FILES_ROOT = tmp_path / "files"
    return settings.FILES_ROOT


@pytest.fixture
def officer(db: None) -> AbstractBaseUser:
    return get_user_model().objects.create_user("officer", "officer@example.org", "a-long-password")
