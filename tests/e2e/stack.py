"""The real processes on free ports, over a database of their own: for the end-to-end tests and the benchmark.

    with Stack() as stack:
        httpx.post(f"{stack.chat}/api/messages", json={"conversation": "c", "text": "…"})

The embedding model and the trained dialogue model are shared with the working copy (`make model train` builds
them); everything else lives in a temporary folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = Path(__file__).resolve().parent / "emulator"
MODEL = Path(os.environ.get("CITYDESK_MODEL") or ROOT / "var" / "model")
PREPARED = ROOT / "var" / "e2e"
RASA_MODELS = ROOT / "var" / "rasa" / "models"
TOKEN = "666:emulated"
WEBHOOK_SECRET = "only-for-the-end-to-end-tests"
READY_SECONDS = 120.0
PROCESSES = ("knowledge", "actions", "rasa", "bot", "desk")
PREPARE = """
import django; django.setup()
from django.core.management import call_command
from django.db import connection
connection.cursor().execute("pragma synchronous=off")
for command in ("migrate", "setup_roles", "import_content", "build_index"):
    call_command(command, verbosity=0)
connection.cursor().execute("pragma wal_checkpoint(truncate)")
"""


class Missing(Exception):
    """Something that the stack stands on has not been built; its text says what and how to get it."""


def missing() -> str | None:
    """Return what must be built before a stack can start, or None."""
    if not (MODEL / "citydesk_model.json").exists():
        return "the embedding model is not built: run `make model`"
    if not list(RASA_MODELS.glob("*.tar.gz")):
        return "the dialogue model is not trained: run `make train`"
    if not (ROOT / ".venv" / "rasa" / "bin" / "rasa").exists():
        return "the dialogue environment is missing: run `make setup`"
    return None


def procfile() -> dict[str, str]:
    """Return the processes' command lines: the tests start what `make run` starts."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines) if command}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _digest() -> str:
    """Return a name for everything that the database and the index are made from."""
    digest = hashlib.sha256((MODEL / "citydesk_model.json").read_bytes())
    for folder in ("bot", "desk", "knowledge", "nlu", "constraints"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".yml", ".txt") and file.is_file():
                digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class Stack:
    """Knowledge, actions, Rasa, bot and desk, with the Telegram emulator when one is given."""

    def __init__(self, *, telegram: str = "", folder: Path | None = None, **settings: str) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="citydesk-e2e-"))
        self.ports = {name: free_port() for name in PROCESSES}
        self.telegram = telegram
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._keep = folder is not None
        binaries = Path(sys.executable).parent
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("CITYDESK_", "COV_", "PYTEST"))
            },
            "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "desk.settings",
            "HF_HUB_OFFLINE": "1",
            "CITYDESK_VAR": str(self.folder),
            "CITYDESK_MODEL": str(MODEL),
            "CITYDESK_RASA_MODELS": str(RASA_MODELS),
            "CITYDESK_SECRET_KEY": "end-to-end-" + "x" * 50,
            "CITYDESK_CHAT_PORT": str(self.ports["bot"]),
            "CITYDESK_DESK_PORT": str(self.ports["desk"]),
            "CITYDESK_KNOWLEDGE_PORT": str(self.ports["knowledge"]),
            "CITYDESK_RASA_PORT": str(self.ports["rasa"]),
            "CITYDESK_ACTIONS_PORT": str(self.ports["actions"]),
            "CITYDESK_ACTIONS_URL": f"http://127.0.0.1:{self.ports['actions']}",
            "CITYDESK_RASA_TRACKERS": str(self.folder / "rasa" / "trackers.sqlite3"),
            "CITYDESK_CHAT_URL": self.chat,
            "CITYDESK_DESK_URL": self.desk,
            "CITYDESK_API_RATE_LIMIT": "100000/minute",
            "CITYDESK_TELEGRAM_TOKEN": TOKEN if telegram else "",
            "CITYDESK_TELEGRAM_API_URL": telegram or "http://127.0.0.1:9",
            "CITYDESK_TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "CITYDESK_TELEGRAM_CHAT_RATE": "20",
            **{f"CITYDESK_{name.upper()}": value for name, value in settings.items()},
        }

    # --- addresses -------------------------------------------------------------------------------------
    @property
    def chat(self) -> str:
        """Return the address of the web chat."""
        return f"http://127.0.0.1:{self.ports['bot']}"

    @property
    def desk(self) -> str:
        """Return the address of the staff console."""
        return f"http://127.0.0.1:{self.ports['desk']}"

    @property
    def knowledge(self) -> str:
        """Return the address of the search service."""
        return f"http://127.0.0.1:{self.ports['knowledge']}"

    @property
    def rasa(self) -> str:
        """Return the address of the dialogue engine."""
        return f"http://127.0.0.1:{self.ports['rasa']}"

    # --- processes -------------------------------------------------------------------------------------
    def __enter__(self) -> Stack:
        if reason := missing():
            raise Missing(reason)
        try:
            self.prepare()
            for name in PROCESSES:
                self.launch(name)
            for name in PROCESSES:
                self.wait(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self.processes)):
            self.stop(name)
        if not self._keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self) -> None:
        """Make the database and the index, or copy what an earlier run has made from the same files."""
        ready = PREPARED / _digest()
        if not ready.exists():
            earlier = sorted(PREPARED.glob("*/index/CURRENT"), key=lambda file: file.stat().st_mtime)
            index = earlier[-1].parent if earlier else ROOT / "var" / "index"
            aside = PREPARED / f".{os.getpid()}"
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            if (index / "CURRENT").exists():  # vectors of passages that have not changed are taken from there
                shutil.copytree(index, aside / "index", ignore=shutil.ignore_patterns(".*"))
            self.manage(code=PREPARE, CITYDESK_VAR=str(aside))
            with contextlib.suppress(OSError):
                aside.rename(ready)
            shutil.rmtree(aside, ignore_errors=True)
            for other in PREPARED.iterdir():
                if other != ready and not other.name.startswith("."):
                    shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(ready, self.folder, dirs_exist_ok=True)

    def launch(self, name: str, **settings: str) -> None:
        """Start one process without waiting for it."""
        command = f"exec {procfile()[name]}"
        with self._log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                ["bash", "-c", command],
                cwd=ROOT,
                env={**self.environment, **settings},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self, name: str, **settings: str) -> None:
        """Start one process and wait until it is ready."""
        self.launch(name, **settings)
        self.wait(name)

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End one process with everything it has started."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Have one process down for a while."""
        self.stop(name, signal.SIGKILL)
        try:
            yield
        finally:
            self.start(name)

    def wait(self, name: str) -> None:
        """Wait until a process says that it is ready; shows the end of its log when it does not."""
        path = {
            "knowledge": "/health",
            "actions": "/health",
            "rasa": "/",
            "bot": "/healthz",
            "desk": "/healthz",
        }[name]
        url = f"http://127.0.0.1:{self.ports[name]}{path}"

        def ready() -> bool:
            if (code := self.processes[name].poll()) is not None:
                raise RuntimeError(f"{name} ended with status {code}:\n{self.tail(name)}")
            with contextlib.suppress(httpx.HTTPError):
                response = httpx.get(url, timeout=2)
                telegram = name != "bot" or not self.telegram or response.json().get("telegram") == "on"
                return response.status_code == 200 and telegram
            return False

        eventually(ready, READY_SECONDS, lambda: f"{name} is not ready:\n{self.tail(name)}")

    def manage(self, *arguments: str, code: str = "", **settings: str) -> str:
        """Run `manage.py` (or some code with the same settings) and return what it prints."""
        command = [sys.executable, "-c", code] if code else [sys.executable, "manage.py", *arguments]
        environment = {**self.environment, **settings}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command[1:])[:200]} failed:\n{done.stdout[-1500:]}{done.stderr[-3000:]}"
            )
        return done.stdout

    def _log(self, name: str) -> Path:
        folder = self.folder / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    def tail(self, name: str, lines: int = 40) -> str:
        """Return the end of a process's log."""
        log = self._log(name)
        return (
            "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
            if log.exists()
            else ""
        )

    def memory(self) -> dict[str, float]:
        """Return the resident memory of each process with its children, in MiB (Linux)."""
        return {name: resident(process.pid) for name, process in self.processes.items()}

    # --- the database, as a test looks at it -----------------------------------------------------------
    @contextlib.contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Open the stack's database."""
        connection = sqlite3.connect(self.folder / "citydesk.sqlite3", timeout=30, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what a query finds."""
        with self.database() as connection:
            return [dict(row) for row in connection.execute(query, values)]

    def turns(self, channel: str, chat: str) -> list[dict[str, Any]]:
        """Return the turns of a conversation, oldest first, with the ids of the replies that wait."""
        return self.rows(
            """select t.*, c.language as language_now, c.form, c.requested,
               (select count(*) from bot_message m
                where m.turn_id = t.id and m.state in ('queued', 'sending')) as waiting
               from bot_turn t join bot_conversation c on c.id = t.conversation_id
               where c.channel = ? and c.chat_id = ? order by t.id""",
            channel,
            chat,
        )


def resident(pid: int) -> float:
    """Return the resident memory of a process and its children in MiB."""

    def own(each: str) -> float:
        for line in Path(f"/proc/{each}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    total, waiting = 0.0, [str(pid)]
    while waiting:
        each = waiting.pop()
        with contextlib.suppress(OSError):
            total += own(each)
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += (task / "children").read_text().split()
    return total


def eventually(condition: Callable[[], Any], seconds: float, why: Callable[[], str] | str = "") -> Any:
    """Return the first true value of a condition; fail with a reason when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"Not within {seconds:.0f} s: {why() if callable(why) else why}")
        time.sleep(0.03)


# --- the Telegram emulator -----------------------------------------------------------------------------
def install_emulator() -> str | None:
    """Install the npm package into the emulator's folder; return why that is impossible, or None."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "node and npm are not installed; the Telegram emulator needs them (apt-get install nodejs npm)"
    lock, mark = EMULATOR / "package-lock.json", EMULATOR / "node_modules" / ".package-lock.json"
    if mark.exists() and mark.stat().st_mtime >= lock.stat().st_mtime:
        return None
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=EMULATOR, capture_output=True, text=True, timeout=180
    )
    return f"npm ci failed: {done.stderr[-500:]}" if done.returncode else None


class Emulator:
    """telegram-test-api on a free port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def __enter__(self) -> Emulator:
        self._process = subprocess.Popen(
            ["node", "start.js", str(self.port)],
            cwd=EMULATOR,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def listens() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return self.http.get("/recorded").status_code == 200
            return False

        eventually(listens, 15, "the Telegram emulator does not listen")
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(10)

    def recorded(self, method: str, chat: str) -> list[dict[str, Any]]:
        """Return the calls of a method that the emulator itself does not have."""
        calls = self.http.get("/recorded").json()
        return [call for call in calls if call["method"] == method and str(call.get("chat_id")) == chat]


def script(file: Path) -> dict[str, Any]:
    """Read one conversation script."""
    import yaml

    return yaml.safe_load(file.read_text(encoding="utf-8"))


def dumps(value: Any) -> str:
    """Return a value as readable JSON, for failure messages."""
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


if __name__ == "__main__":  # `python -m tests.e2e.stack`: before the tests, whose time limit it would exceed
    if reason := missing():
        sys.exit(f"The end-to-end tests will be skipped: {reason}")
    stack = Stack()
    try:
        stack.prepare()
    finally:
        shutil.rmtree(stack.folder, ignore_errors=True)
