"""`python -m tests.bench`: what an answered question costs, beside a stock Rasa bot's "hello".

Ours and the stock bot are measured in turns (A/B/A/B …) in one run, so that a noisy machine meets both; what
counts is the ratio. The stock bot is Rasa's own `rasa init`, trained once and kept in var/bench.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from tests.e2e.people import TelegramPerson
from tests.e2e.stack import (
    MODEL,
    ROOT,
    Emulator,
    Missing,
    Stack,
    eventually,
    free_port,
    install_emulator,
    resident,
)

BENCH = ROOT / "var" / "bench"
RASA = ROOT / ".venv" / "rasa" / "bin" / "rasa"
BLOCK = 20
TARGET = 1.5
QUESTIONS = (
    "When is Vĩnh Tràng Pagoda open?",
    "Chùa Vĩnh Tràng mở cửa lúc mấy giờ?",
    "chua vinh trang mo cua may gio",
    "빈짱 사원은 몇 시에 열어요?",
    "永长寺几点开门？",
    "ヴィンチャン寺は何時に開きますか？",
    "À quelle heure ouvre la pagode Vĩnh Tràng ?",
    "Во сколько открывается пагода Винь Транг?",
    "How do I get an e-visa for Vietnam?",
    "Xin thị thực điện tử (e-visa) vào Việt Nam thế nào?",
    "베트남 전자비자는 어떻게 신청하나요?",
    "怎样申请越南电子签证？",
    "ベトナムの電子ビザはどう申請しますか。",
    "Comment obtenir un visa électronique pour le Vietnam ?",
    "Как оформить электронную визу во Вьетнам?",
)
ENCODE = """
import json, sys, time
from knowledge.embedder import SentenceTransformerEmbedder
embedder = SentenceTransformerEmbedder(sys.argv[1])
questions = [f"What time does the pagoda in My Tho open on day {n}?" for n in range(int(sys.argv[2]))]
for question in questions[:20]:
    embedder.embed_query(question)
times = []
for question in questions:
    started = time.perf_counter()
    embedder.embed_query(question)
    times.append((time.perf_counter() - started) * 1000)
print(json.dumps(times))
"""
PUBLISH = """
import json, secrets, sys, time
import django; django.setup()
import httpx
from knowledge.models import Translation
text = Translation.objects.get(entry__slug="vinh-trang-opening-hours", language="en")
kept, times = text.question, []
with httpx.Client(base_url=sys.argv[1], timeout=10) as client:
    for _ in range(int(sys.argv[2])):
        text.question = f"Where does {secrets.token_hex(4)} meet {secrets.token_hex(4)}?"
        asked = {"text": text.question, "language": "en", "top_k": 5}
        started = time.perf_counter()
        text.save()
        while True:
            found = client.post("/search", json=asked).json()
            if text.question in [near["question"] for near in found["near"]]:
                break
            time.sleep(0.02)
            if time.perf_counter() - started > 30:
                raise SystemExit("not live after 30 s")
        times.append(time.perf_counter() - started)
        time.sleep(0.3)
text.question = kept
text.save()
print(json.dumps(times))
"""


class StockRasa:
    """The bot that `rasa init` makes."""

    def __init__(self) -> None:
        self.port = free_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    def __enter__(self) -> StockRasa:
        project = BENCH / "stock"
        environment = {
            **os.environ,
            "RASA_TELEMETRY_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "PYTHONWARNINGS": "ignore",
            "LOG_LEVEL": "WARNING",
        }
        if not list(project.glob("models/*.tar.gz")):
            project.mkdir(parents=True, exist_ok=True)
            note("training the stock Rasa bot (once, a minute or two)")
            done = subprocess.run(
                [str(RASA), "init", "--no-prompt", "--init-dir", str(project)],
                env=environment,
                capture_output=True,
                text=True,
            )
            if not list(project.glob("models/*.tar.gz")):
                raise Missing(f"`rasa init` failed: {done.stdout[-500:]}{done.stderr[-1500:]}")
        command = [str(RASA), "run", "--interface", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command,
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        def ready() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return bool(self.hello())
            return False

        eventually(ready, 120, "the stock Rasa bot does not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 15)
        self.process.wait(20)

    def hello(self) -> list[dict[str, Any]]:
        """Say hello as somebody new and return what comes back."""
        said = {"sender": uuid.uuid4().hex, "message": "hello"}
        response = self.http.post("/webhooks/rest/webhook", json=said)
        return response.json() if response.status_code == 200 else []


def note(text: str) -> None:
    """Say what is going on, on standard error: standard output is for the figures."""
    print(f"→ {text}", file=sys.stderr, flush=True)


def timed(act: Callable[[], Any]) -> float:
    """Return how long something takes, in milliseconds."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def summary(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and count."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 2),
        "n": len(ordered),
    }


class Ours:
    """One question after the other, each from somebody new."""

    def __init__(self, stack: Stack, emulator: Emulator | None) -> None:
        self.stack, self.emulator = stack, emulator
        # A date makes each question new: neither side may answer from a cache.
        days = itertools.count()
        self.questions: Iterator[str] = (
            f"{text} ({next(days) % 28 + 1}/{next(days) % 97})" for text in itertools.cycle(QUESTIONS)
        )
        self.answered = self.asked = 0
        self.chat = httpx.Client(base_url=stack.chat, timeout=60)
        self.search_service = httpx.Client(base_url=stack.knowledge, timeout=60)
        self.rasa = httpx.Client(base_url=stack.rasa, timeout=60)

    def web(self) -> None:
        """Ask over the web chat's API."""
        said = {"conversation": str(uuid.uuid4()), "text": next(self.questions), "language": None}
        body = self.chat.post("/api/messages", json=said).json()
        self.asked += 1
        self.answered += body["outcome"] == "answered"

    def telegram(self) -> None:
        """Ask in Telegram: from the update until the reply is there."""
        person = TelegramPerson(self.stack, self.emulator)  # type: ignore[arg-type]
        update = person.update(text=next(self.questions))
        self.emulator.http.post("/sendMessage", json=update)  # type: ignore[union-attr]
        person.hear(30)

    def search(self) -> None:
        """Ask the search service alone."""
        self.search_service.post(
            "/search", json={"text": next(self.questions), "language": "en", "top_k": 5}
        ).raise_for_status()

    def dialogue(self) -> None:
        """Ask Rasa, which asks the action server, which asks the search service."""
        said = {
            "sender": str(uuid.uuid4()),
            "message": next(self.questions),
            "metadata": {"language": "en", "requested": "", "channel": "web"},
        }
        if not self.rasa.post("/webhooks/rest/webhook", json=said).json():
            raise RuntimeError("Rasa answered with nothing")


def measure(stack: Stack, emulator: Emulator | None, requests: int) -> dict[str, Any]:
    """Run all measurements and return the figures."""
    ours = Ours(stack, emulator)
    with StockRasa() as stock:
        acts: dict[str, Callable[[], Any]] = {
            "stock_hello": stock.hello,
            "web": ours.web,
            "search": ours.search,
            "dialogue": ours.dialogue,
        }
        if emulator:
            acts["telegram"] = ours.telegram
        note("warming up")
        for act in acts.values():
            for _ in range(BLOCK):
                act()
        times: dict[str, list[float]] = {name: [] for name in acts}
        blocks = -(-requests // BLOCK)
        for block in range(blocks):
            note(f"block {block + 1} of {blocks}")
            for name, act in acts.items():
                times[name] += [timed(act) for _ in range(BLOCK)]
        memory = {**stack.memory(), "stock_rasa": resident(stock.process.pid)}
    note("encoding queries")
    single = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", ENCODE, str(MODEL), str(max(requests, 200))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**stack.environment, **single},
    )
    encoded = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else []
    if not encoded:
        note(f"encoding could not be measured: {done.stderr[-500:]}")
    note("publishing")
    published = json.loads(
        stack.manage(
            code=PUBLISH.replace("sys.argv[1]", repr(stack.knowledge)).replace("sys.argv[2]", "7")
        ).splitlines()[-1]
    )
    milliseconds = {name: summary(values) for name, values in times.items()}
    if encoded:
        milliseconds["encode_query"] = summary(encoded)
    hello = milliseconds["stock_hello"]["median"]
    return {
        "milliseconds": milliseconds,
        "publish_to_live_seconds": summary(published),
        "ratio_to_stock_hello": {
            name: round(milliseconds[name]["median"] / hello, 2)
            for name in ("web", "telegram")
            if name in milliseconds
        },
        "target_ratio": TARGET,
        "answered_share": round(ours.answered / ours.asked, 3),
        "resident_mib": {name: round(value) for name, value in memory.items()},
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "load": [round(each, 2) for each in os.getloadavg()],
        },
    }


def measure_service() -> dict[str, Any] | None:
    """Measure the search service at 20,000 passages in a process of its own, which prints its table."""
    note("search service at 20,000 passages: two minutes (`--no-service` leaves it out)")
    with tempfile.TemporaryDirectory(prefix="citydesk-bench-") as folder:
        file = Path(folder) / "service.json"
        subprocess.run([sys.executable, "-m", "tests.bench.service", "--json", str(file)], cwd=ROOT)
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def measure_scale() -> dict[str, Any] | None:
    """Measure the index of a million passages in a process of its own, which prints its table; None if it failed."""
    note("index of up to a million passages: some minutes, 3 GiB of memory (`--no-scale` leaves it out)")
    with tempfile.TemporaryDirectory(prefix="citydesk-bench-") as folder:
        file = Path(folder) / "scale.json"
        subprocess.run([sys.executable, "-m", "tests.bench.scale", "--json", str(file)], cwd=ROOT)
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


LABELS = {
    "encode_query": "query encoding (15 tokens, one thread)",
    "search": "search service over HTTP",
    "dialogue": "Rasa with action and search, over REST",
    "web": "answered question, web API",
    "telegram": "answered question, Telegram emulator",
    "stock_hello": "stock Rasa bot, “hello” over REST",
}


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    table = Table("", "median ms", "p95 ms", "of stock hello")
    hello = figures["milliseconds"]["stock_hello"]["median"]
    for name, label in LABELS.items():
        if row := figures["milliseconds"].get(name):
            ratio = f"{row['median'] / hello:.2f}" if name in ("web", "telegram") else ""
            table.add_row(label, f"{row['median']:.1f}", f"{row['p95']:.1f}", ratio)
    live = figures["publish_to_live_seconds"]
    table.add_row("publish to live (seconds)", f"{live['median']:.2f}", f"{live['p95']:.2f}", "")
    for name, value in figures["resident_mib"].items():
        table.add_row(f"resident memory of {name}", f"{value} MiB", "", "")
    Console().print(table)


def main() -> int:
    """Measure, print, and tell by the exit status whether it could be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file too")
    parser.add_argument("--no-scale", action="store_true", help="leave the index of a million passages out (minutes)")
    parser.add_argument("--no-service", action="store_true", help="leave the service at 20,000 passages out (minutes)")
    parser.add_argument("--requests", type=int, default=200, help="how many of each (default: %(default)s)")
    options = parser.parse_args()
    try:
        with contextlib.ExitStack() as running:
            if reason := install_emulator():
                note(f"without Telegram: {reason}")
            emulator = None if reason else running.enter_context(Emulator())
            note("starting the desk")
            stack = running.enter_context(Stack(telegram=emulator.url if emulator else ""))
            figures = measure(stack, emulator, options.requests)
    except Missing as problem:
        note(str(problem))
        return 2
    show(figures)
    if not options.no_service:
        figures["service"] = measure_service()
    if not options.no_scale:
        figures["scale"] = measure_scale()
    print(json.dumps(figures, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
