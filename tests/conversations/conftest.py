"""The real dialogue engine and action server; only the knowledge service is played, at its HTTP border."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.nlu.rasa_model import PYTHON, ROOT, environment, trained_model

ORDER = (
    "emergency",
    "handed_off",
    "failed",
    "refused",
    "answered",
    "clarify",
    "not_known",
    "form",
    "small_talk",
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Knowledge(BaseHTTPRequestHandler):
    """Answers by a word in the question, so that the expected outcome can be seen by eye."""

    protocol_version = "HTTP/1.1"
    # One packet an answer: headers and body apart wait 40 ms for each other (Nagle and delayed ACK).
    wbufsize = -1
    down = False
    asked: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append(body)
        near = [
            {"entry": slug, "language": "vi", "question": slug, "score": 0.3, "dense": 0.8, "lexical": 0.2}
            for slug in ("boat-prices", "boat-pier")
        ]
        text = body["text"].lower()
        found: dict[str, Any] = {"outcome": "not_known", "entry": None, "entry_language": None, "score": 0.1}
        if any(word in text for word in ("pagoda", "pagode", "chùa", "chua", "사원", "寺", "пагод")):
            found = {
                "outcome": "answered",
                "entry": "vinh-trang-opening-hours",
                "entry_language": "vi",
                "score": 0.95,
            }
        elif any(word in text for word in ("boat", "thuyền", "船", "배")):
            found |= {"outcome": "clarify", "score": 0.5}
        answer = json.dumps(
            {**found, "near": near, "query_language": body["language"], "revision": 1}
        ).encode()
        self.send_response(503 if self.down else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@dataclass
class Reply:
    """What one message brought: the items, and the outcome as bot reads it."""

    items: list[dict[str, Any]]

    @property
    def turns(self) -> list[dict[str, Any]]:
        return [i["custom"] for i in self.items if i.get("custom", {}).get("kind") == "turn"]

    @property
    def outcome(self) -> str:
        return min((turn["outcome"] for turn in self.turns), key=ORDER.index)

    @property
    def text(self) -> str:
        return "\n".join(item["text"] for item in self.items if "text" in item)

    @property
    def buttons(self) -> dict[str, str]:
        return {b["title"]: b["payload"] for item in self.items for b in item.get("buttons", [])}

    def custom(self, kind: str) -> dict[str, Any] | None:
        return next((i["custom"] for i in self.items if i.get("custom", {}).get("kind") == kind), None)


@dataclass
class Desk:
    """The running processes."""

    rasa_port: int
    database: Path
    knowledge: type[Knowledge]
    rasa_pid: int
    conversations: list[str] = field(default_factory=list)

    def tickets(self, conversation: str) -> list[dict[str, Any]]:
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(
                "SELECT t.* FROM desk_ticket t JOIN bot_conversation c ON c.id = t.conversation_id"
                " WHERE c.uuid = ?",
                (conversation.replace("-", ""),),
            ).fetchall()
        return [dict(row) for row in rows]

    def record(self, conversation: str, text: str, language: str, reply: Reply) -> None:
        """Keep a turn as bot does: the actions read from it what was answered last."""
        entry = next((turn["entry"] for turn in reply.turns if turn.get("entry")), "")
        with sqlite3.connect(self.database) as connection:
            connection.execute(
                "INSERT INTO bot_turn (conversation_id, text, language, outcome, entry, intent, entry_language, near,"
                " ticket, degraded, created_at) SELECT id, ?, ?, ?, ?, '', '', '[]', '', 0, ? FROM bot_conversation"
                " WHERE uuid = ?",
                (text, language, reply.outcome, entry, f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S.%f}",
                 conversation.replace("-", "")),
            )


class Chat:
    """One conversation, kept as bot keeps it: language, the slot that waits, and how each message ended."""

    def __init__(self, desk: Desk, language: str, known: bool = True) -> None:
        self.desk, self.language, self.requested = desk, language, ""
        self.id = desk.conversations.pop() if known else str(uuid.uuid4())
        self.last = Reply([])

    def say(self, text: str) -> Reply:
        return self._send(text)

    def press(self, title: str) -> Reply:
        payload = self.last.buttons[title]
        intent, _, entities = payload.partition("{")
        values = {"language": self.language, **(json.loads("{" + entities) if entities else {})}
        return self._send(intent + json.dumps(values, ensure_ascii=False))

    def order(self, payload: str) -> Reply:
        return self._send(payload)

    def _send(self, message: str) -> Reply:
        metadata = {"language": self.language, "requested": self.requested, "channel": "web"}
        body = json.dumps({"sender": self.id, "message": message, "metadata": metadata}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.desk.rasa_port}/webhooks/rest/webhook",
            body,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            self.last = Reply(json.load(response))
        assert self.last.turns, f"{message!r} brought no turn: {self.last.items}"
        self.requested = self.last.turns[-1].get("requested") or ""
        self.language = self.last.turns[-1].get("language") or self.language
        self.desk.record(self.id, message, self.language, self.last)
        return self.last


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Start everything once; each test takes a conversation of its own."""
    if not PYTHON.exists():
        pytest.skip("There is no .venv/rasa; `make` builds it.")
    var = tmp_path_factory.mktemp("dialogue")
    model = trained_model(var)
    knowledge = ThreadingHTTPServer(("127.0.0.1", 0), Knowledge)
    threading.Thread(target=knowledge.serve_forever, daemon=True).start()
    ports = {"actions": free_port(), "rasa": free_port()}
    variables = environment(
        CITYDESK_VAR=str(var),
        CITYDESK_MODEL=os.environ.get("CITYDESK_MODEL", str(ROOT / "var" / "model")),
        CITYDESK_DATABASE_URL=f"sqlite:///{var / 'desk.sqlite3'}",
        CITYDESK_KNOWLEDGE_URL=f"http://127.0.0.1:{knowledge.server_port}",
        CITYDESK_ACTIONS_PORT=str(ports["actions"]),
        CITYDESK_RASA_PORT=str(ports["rasa"]),
    )
    conversations = [str(uuid.uuid4()) for _ in range(60)]
    create = (
        "from bot.models import Conversation\n"
        "Conversation.objects.bulk_create("
        f"Conversation(uuid=u, channel='web', chat_id=u) for u in {conversations!r})"
    )
    for command in (["migrate", "-v0"], ["shell", "-v0", "-c", create]):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=variables, check=True, timeout=200
        )
    log = (var / "processes.log").open("w")
    processes = [
        subprocess.Popen([sys.executable, "-m", "actions"], cwd=ROOT, env=variables, stdout=log, stderr=log),
        subprocess.Popen(
            [PYTHON, "-m", "nlu.server", "run", "--model", str(model)],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=log,
        ),
    ]
    try:
        wait_for(f"http://127.0.0.1:{ports['actions']}/health", processes[0])
        wait_for(f"http://127.0.0.1:{ports['rasa']}/", processes[1])
        yield Desk(ports["rasa"], var / "desk.sqlite3", Knowledge, processes[1].pid, conversations)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)
        knowledge.shutdown()
        knowledge.server_close()
        log.close()


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Wait until `url` answers; fail at once when its process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"the process for {url} ended with {process.returncode}"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer within {seconds} s")
