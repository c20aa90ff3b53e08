"""`python -m tests.bench.service`: the search service under load, and how soon what is published is answered.

There are no 20,000 passages about one city: the real texts are taken several times, each copy with a made-up name
behind every text, so that no two are equal. Their vectors are those of no text at all (random, of unit length, and as
many tokens as the texts would have), which saves four minutes of encoding: what is measured does not read them, only
what is published during the measurement is encoded for good.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
PASSAGES, QUESTIONS, PARALLEL, PUBLISHED = 20_000, 1500, 50, 7
RATE, SECONDS = 150.0, 2.0
# Seconds that the service may take to load 20,000 passages at its start.
LOADING = 120.0
TOKENS, SEED = 25, 20_260_101


def note(text: str) -> None:
    """Say what is going on, on standard error: standard output is for the figures."""
    print(f"→ {text}", file=sys.stderr, flush=True)


# --- a large knowledge base ----------------------------------------------------------------------------------------
def prepare(count: int) -> None:
    """Fill the database that the settings name with `count` passages or somewhat more, and write their snapshot."""
    import django

    django.setup()
    from django.core.management import call_command

    from knowledge.models import Entry, KnowledgeState, Translation
    from knowledge.passages import passages_of, published_passages

    call_command("migrate", verbosity=0)
    call_command("import_content")
    texts: dict[Entry, list[Translation]] = {}
    for text in Translation.objects.filter(live=True).select_related("entry").order_by("entry__slug"):
        texts.setdefault(text.entry, []).append(text)
    left = count - sum(1 for _ in published_passages())
    for copy, entry in ((copy, entry) for copy in itertools.count(1) for entry in texts):
        if left <= 0:
            break
        made = Entry.objects.bulk_create([Entry(
            slug=f"{entry.slug[:70]}-{copy}", category=entry.category, department_id=entry.department_id,
            verified_on=entry.verified_on, place_name=entry.place_name, aliases=entry.aliases, live=True,
        )])[0]
        Translation.objects.bulk_create(
            Translation(
                entry=made, language=text.language, question=f"{text.question[:280]} {_name(copy)}",
                other_questions="\n".join(f"{line} {_name(copy)}" for line in text.questions[1:]),
                answer=f"{text.answer} {_name(copy)}", live=True,
            )
            for text in texts[entry]
        )
        left -= sum(1 for text in texts[entry] for _ in passages_of(text))
    KnowledgeState.advance()
    _write_snapshot()


def _name(copy: int) -> str:
    """Return a made-up name of three syllables, another for every copy."""
    number = zlib.crc32(str(copy).encode())
    return "".join("bdklmnrstv"[number >> 6 * k & 7] + "aeiou"[number >> 6 * k + 3 & 3] for k in range(3)).title()


def _write_snapshot() -> None:
    import numpy as np
    from django.conf import settings

    from knowledge.embedder import SentenceTransformerEmbedder
    from knowledge.geometry import unit
    from knowledge.keeper import geometry_of
    from knowledge.late import Tokens, quantise
    from knowledge.models import KnowledgeState
    from knowledge.passages import published_passages
    from knowledge.snapshot import Snapshot, write

    embedder = SentenceTransformerEmbedder(settings.MODEL)
    geometry = geometry_of(embedder)
    passages = tuple(published_passages())
    random = np.random.default_rng(SEED)
    kept = embedder.dimension if geometry.tokens is None else geometry.tokens.shape[1]
    counts = random.integers(TOKENS // 2, TOKENS * 3 // 2, len(passages)).astype(np.int32)
    # One pool of token vectors: drawing five hundred thousand takes longer than all that is measured.
    pool = quantise(unit(random.standard_normal((5000, kept), np.float32)))
    drawn = random.integers(0, len(pool), int(counts.sum()))
    vectors = unit(random.standard_normal((len(passages), embedder.dimension), np.float32))
    tokens = Tokens(pool[drawn], drawn.astype(np.int32), counts)
    write(
        settings.INDEX_DIR,
        Snapshot(KnowledgeState.current(), embedder.name, passages, vectors, tokens, geometry.digest),
    )


class Service:
    """The search service over a large knowledge base of its own, in a temporary folder."""

    def __init__(self, passages: int) -> None:
        from tests.e2e.stack import MODEL, free_port

        self.passages = passages
        self.folder = Path(tempfile.mkdtemp(prefix="citydesk-bench-"))
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CITYDESK_")},
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "DJANGO_SETTINGS_MODULE": "desk.settings", "HF_HUB_OFFLINE": "1", "CITYDESK_VAR": str(self.folder),
            "CITYDESK_MODEL": os.environ.get("CITYDESK_MODEL", str(MODEL)), "CITYDESK_LOG_LEVEL": "WARNING",
            "CITYDESK_KNOWLEDGE_PORT": str(self.port),
        }

    def __enter__(self) -> Service:
        try:
            note(f"making {self.passages:,} passages")
            self.run("prepare", str(self.passages))
            self.process = subprocess.Popen(
                [sys.executable, "-m", "knowledge.service"], cwd=ROOT, env=self.environment, start_new_session=True
            )
            started = time.perf_counter()
            while not self.health():
                if self.process.poll() is not None or time.perf_counter() - started > LOADING:
                    raise RuntimeError(f"the search service is not ready after {LOADING:.0f} s, or ended")
                time.sleep(0.1)
            self.start_seconds = time.perf_counter() - started
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if process := getattr(self, "process", None):
            process.terminate()
            process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Return the service's address."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run a part of this module with the service's settings, and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.service", *arguments],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True,
        )
        return done.stdout

    def health(self) -> dict[str, Any]:
        """Return what the service says of itself, nothing while it loads."""
        with contextlib.suppress(httpx.HTTPError):
            response = httpx.get(f"{self.url}/health", timeout=2)
            if response.status_code == 200:
                return response.json()
        return {}


# --- load ----------------------------------------------------------------------------------------------------------
def questions(count: int) -> list[dict[str, Any]]:
    """Return so many requests, all different, made of the labelled questions in all languages."""
    asked = []
    for file in sorted((ROOT / "tests" / "data" / "questions").glob("*.jsonl")):
        language = file.stem.removeprefix("fresh-").removeprefix("near-").split("-")[0]
        rows = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]
        asked.append([{"text": row, "language": language, "top_k": 5} for row in rows])
    mixed = [each for group in itertools.zip_longest(*asked) for each in group if each]
    # A number makes each question new: nothing may be answered from memory.
    return [
        {**each, "text": f"{each['text']} {number}"}
        for number, each in zip(range(count), itertools.cycle(mixed), strict=False)
    ]


async def _ask_all(port: int, requests: Sequence[dict[str, Any]], parallel: int) -> tuple[list[float], list[str]]:
    """Return how long each request took (seconds), and what went wrong; over bare sockets, to leave the CPU free."""
    rest, times, wrong = iter(requests), [], []

    async def asker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in rest:
            body, started = json.dumps(request).encode(), time.perf_counter()
            head = f"POST /search HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(answer.split("content-length:")[1].split("\r\n")[0])
            text = await reader.readexactly(length)
            times.append(time.perf_counter() - started)
            if " 200 " not in answer.splitlines()[0] or b'"outcome":' not in text:
                wrong.append(f"{request['text']}: {answer.splitlines()[0]} {text[:100].decode()}")
        writer.close()

    await asyncio.gather(*(asker() for _ in range(parallel)))
    return times, wrong


def cpu_seconds(process: int) -> float:
    """Return how long a process has worked, in seconds of CPU."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_load(port: int, process: int, count: int = QUESTIONS, parallel: int = PARALLEL) -> dict[str, Any]:
    """Ask the service on a port `count` different questions, `parallel` at a time."""
    asked = questions(count + parallel)
    asyncio.run(_ask_all(port, asked[count:], parallel))
    worked, began = cpu_seconds(process), time.perf_counter()
    times, wrong = asyncio.run(_ask_all(port, asked[:count], parallel))
    seconds, worked = time.perf_counter() - began, cpu_seconds(process) - worked
    ordered = sorted(times)
    return {
        "questions": count, "parallel": parallel, "errors": len(wrong), "first_errors": wrong[:3],
        "per_second": round(count / seconds, 1), "cpu_ms": round(worked / count * 1000, 2),
        "per_second_of_two_idle_cores": round(2 * count / worked, 1), "cores_got": round(worked / seconds, 2),
        "median_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000, 1),
    }


# --- publish to live -----------------------------------------------------------------------------------------------
@contextlib.contextmanager
def asking(port: int, times: list[float]) -> Iterator[None]:
    """Ask one question after another meanwhile, as a reader would, and note how long each took (seconds)."""
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            for request in itertools.cycle(questions(400)):
                if over.wait(0.1):
                    return
                started = time.perf_counter()
                client.post("/search", json=request).raise_for_status()
                times.append(time.perf_counter() - started)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def publish(url: str, rounds: int) -> None:
    """Change one text, publish it, and wait until the service finds it; then withdraw one and wait until it is gone."""
    import django

    django.setup()
    from knowledge.models import Translation

    text = Translation.objects.filter(language="en", live=True).select_related("entry").first()
    assert text is not None
    live, gone = [], []
    with httpx.Client(base_url=url, timeout=30) as client:

        def found(question: str) -> bool:
            asked = {"text": question, "language": "en", "top_k": 20}
            return question in [near["question"] for near in client.post("/search", json=asked).json()["near"]]

        def until(wanted: bool) -> float:
            started = time.perf_counter()
            while found(text.question) != wanted:
                time.sleep(0.02)
                if time.perf_counter() - started > 60:
                    raise RuntimeError("nothing has changed after 60 s")
            return round(time.perf_counter() - started, 3)

        for _ in range(rounds):
            text.question = f"Where does {secrets.token_hex(4)} meet {secrets.token_hex(4)}?"
            text.live = True
            text.save()
            live.append(until(True))
            time.sleep(1)
            text.live = False
            text.save()
            gone.append(until(False))
            time.sleep(1)
    print(json.dumps({"live": live, "gone": gone}))


def measure_live(service: Service, rounds: int = PUBLISHED) -> dict[str, Any]:
    """Publish and withdraw while questions are asked."""
    times: list[float] = []
    worked = cpu_seconds(service.process.pid)
    with asking(service.port, times):
        figures = json.loads(service.run("publish", service.url, str(rounds)).splitlines()[-1])
    live, gone, ordered = sorted(figures["live"]), sorted(figures["gone"]), sorted(times)
    return {
        "live_seconds": {"median": live[len(live) // 2], "worst": live[-1]},
        "gone_seconds": {"median": gone[len(gone) // 2], "worst": gone[-1]},
        "asked_meanwhile": len(times), "meanwhile_median_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        "meanwhile_worst_ms": round(ordered[-1] * 1000, 1),
        "cpu_seconds": round((cpu_seconds(service.process.pid) - worked) / (2 * rounds), 2),
    }


def measure(passages: int = PASSAGES, count: int = QUESTIONS, parallel: int = PARALLEL) -> dict[str, Any]:
    """Run all and return the figures."""
    with Service(passages) as service:
        health = service.health()
        note("publishing and withdrawing")
        live = measure_live(service)
        note(f"asking {count} questions, {parallel} at a time")
        load = measure_load(service.port, service.process.pid, count, parallel)
    met = load["errors"] == 0 and load["per_second"] >= RATE and live["live_seconds"]["worst"] <= SECONDS
    return {
        "passages": health["passages"], "start_seconds": round(service.start_seconds, 1), "live": live, "load": load,
        "machine": {"cpus": os.cpu_count(), "load": [round(each, 2) for each in os.getloadavg()]},
        "targets": {"per_second": RATE, "live_seconds": SECONDS}, "met": met,
    }


def show(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    live, load = figures["live"], figures["load"]
    table = Table("", "", title=f"Search service at {figures['passages']:,} passages", box=SIMPLE_HEAD)
    for label, value in (
        ("publish to answered, median / worst", f"{live['live_seconds']['median']:.2f} / "
         f"{live['live_seconds']['worst']:.2f} s (target: {SECONDS:.0f} s)"),
        ("withdrawn to gone, median / worst", f"{live['gone_seconds']['median']:.2f} / "
         f"{live['gone_seconds']['worst']:.2f} s"),
        ("a question meanwhile, median / worst", f"{live['meanwhile_median_ms']} / {live['meanwhile_worst_ms']} ms"),
        ("CPU of one change", f"{live['cpu_seconds']} s"),
        (f"{load['questions']} questions, {load['parallel']} at a time",
         f"{load['per_second']} a second (target: {RATE:.0f}), {load['errors']} errors"),
        ("a question under that load, median / p95", f"{load['median_ms']} / {load['p95_ms']} ms"),
        ("CPU of a question", f"{load['cpu_ms']} ms: {load['per_second_of_two_idle_cores']} a second on two cores"),
        ("cores that the service got", str(load["cores_got"])),
        ("start to ready", f"{figures['start_seconds']} s"),
    ):
        table.add_row(label, value)
    Console(width=None if sys.stdout.isatty() else 125).print(table)


def main() -> int:
    """Measure, print, and tell by the exit status whether the targets are met."""
    if sys.argv[1:2] == ["prepare"]:
        prepare(int(sys.argv[2]))
        return 0
    if sys.argv[1:2] == ["publish"]:
        publish(sys.argv[2], int(sys.argv[3]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.bench.service", description=__doc__)
    parser.add_argument("--passages", type=int, default=PASSAGES, help="how many (default: %(default)s)")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="how many (default: %(default)s)")
    parser.add_argument("--parallel", type=int, default=PARALLEL, help="askers at a time (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file too")
    options = parser.parse_args()
    figures = measure(options.passages, options.questions, options.parallel)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
