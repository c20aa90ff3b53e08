"""`manage.py chat`: talk to the desk in the terminal, starting its processes when they do not run yet."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from bot.terminal import TerminalChat
from nlu.languages import CODES

PROCESSES = ["knowledge", "actions", "rasa", "bot"]


class Command(BaseCommand):
    help = "Talk to the desk in the terminal."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--language", choices=CODES, help="answer in this language whatever is typed")
        parser.add_argument("--say", action="append", metavar="TEXT", help="say this and end (may be repeated)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        started = None if _up() else self._start(console)
        try:
            chat = TerminalChat(settings.CHAT_URL, console, options["language"])
            if options["say"]:
                for line in options["say"]:
                    console.print(f"[bold green]> [/]{line}")
                    chat.say(line)
            else:
                chat.run()
        finally:
            if started:
                started.send_signal(signal.SIGINT)
                started.wait(timeout=30)

    def _start(self, console: Console) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "run", "--quiet", "--only", *PROCESSES],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        with console.status("Starting the desk …"):
            for _ in range(600):
                if _up():
                    return process
                if process.poll() is not None:
                    break
                time.sleep(0.3)
        process.terminate()
        raise CommandError(f"The desk did not start; see {settings.VAR / 'log' / 'run.log'}.")


def _up() -> bool:
    urls = [
        f"{settings.CHAT_URL}/healthz", f"{settings.KNOWLEDGE_URL}/health", f"{settings.RASA_URL}/",
        f"http://127.0.0.1:{settings.ACTIONS_PORT}/health",
    ]
    try:
        return all(httpx.get(url, timeout=1.0).status_code == 200 for url in urls)
    except httpx.HTTPError:
        return False
