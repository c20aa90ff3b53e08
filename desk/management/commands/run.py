"""`manage.py run`: prepare the database, start the processes of the Procfile, print the addresses, stop cleanly."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho.environ import parse_procfile
from honcho.manager import Manager

from knowledge.models import KnowledgeState
from knowledge.snapshot import current_revision

# Where each process says that it is ready.
HEALTH = {
    "knowledge": lambda: f"http://127.0.0.1:{settings.KNOWLEDGE_PORT}/health",
    "actions": lambda: f"http://127.0.0.1:{settings.ACTIONS_PORT}/health",
    "rasa": lambda: f"http://127.0.0.1:{settings.RASA_PORT}/",
    "bot": lambda: f"http://127.0.0.1:{settings.CHAT_PORT}/healthz",
    "desk": lambda: f"http://127.0.0.1:{settings.DESK_PORT}/healthz",
}
PORTS = {
    "knowledge": "KNOWLEDGE_PORT", "actions": "ACTIONS_PORT", "rasa": "RASA_PORT", "bot": "CHAT_PORT",
    "desk": "DESK_PORT",
}
READY_TIMEOUT = 180


class Command(BaseCommand):
    help = "Start all processes of the Procfile; Ctrl-C stops them."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--only", nargs="+", metavar="PROCESS", help="start only these processes of the Procfile")
        parser.add_argument("--quiet", action="store_true", help="write the processes' lines to var/log/run.log")

    def handle(self, *args: Any, **options: Any) -> None:
        processes = parse_procfile((settings.BASE_DIR / "Procfile").read_text(encoding="utf-8")).processes
        names = options["only"] or list(processes)
        if unknown := set(names) - set(processes):
            raise CommandError(f"No process {sorted(unknown)} in the Procfile; there are {sorted(processes)}.")
        self._refuse_taken_ports(names)
        self._prepare()
        printer_output = self._log() if options["quiet"] else sys.stdout
        manager = Manager(_printer(printer_output))
        for name in names:
            manager.add_process(name, processes[name], quiet=False, env=self._environment(), cwd=str(settings.BASE_DIR))
        announcer = threading.Thread(target=self._announce, args=(names, manager), daemon=True)
        announcer.start()
        manager.loop()
        # A clean stop (Ctrl-C) is no failure, whatever the processes themselves return for the signal.
        if manager.returncode not in (0, None, -2, -15, 130, 143):
            sys.exit(manager.returncode)

    def _refuse_taken_ports(self, names: list[str]) -> None:
        for name in names:
            if name not in PORTS:
                continue
            port = getattr(settings, PORTS[name])
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((settings.BIND, port))
                except OSError as error:
                    raise CommandError(
                        f"Port {port} is taken ({error.strerror}); {name} cannot listen there. Is Citydesk already "
                        f"running? Stop it, or set CITYDESK_{PORTS[name]} to a free port."
                    ) from error

    def _prepare(self) -> None:
        self.stdout.write("→ preparing the database")
        settings.VAR.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        call_command("setup_roles", verbosity=0)
        call_command("import_content", stdout=self.stdout)
        if current_revision(settings.INDEX_DIR) != KnowledgeState.current():
            self.stdout.write("→ building the index (the first time takes half a minute)")
            self.stdout.flush()
            # In a process of its own: the model's memory is not needed here afterwards.
            manage = [sys.executable, str(settings.BASE_DIR / "manage.py"), "build_index"]
            subprocess.run(manage, check=True, env=self._environment())  # noqa: S603 - our own command

    @staticmethod
    def _environment() -> dict[str, str]:
        binaries = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            # Rasa's old libraries warn about their own old ways on every start.
            "PYTHONWARNINGS": "ignore",
            "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
            "CITYDESK_RASA_PORT": str(settings.RASA_PORT),
            "CITYDESK_ACTIONS_PORT": str(settings.ACTIONS_PORT),
            "CITYDESK_MODEL": settings.MODEL,
            "CITYDESK_VAR": str(settings.VAR),
        }

    @staticmethod
    def _log() -> Any:
        folder = settings.VAR / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / "run.log").open("a", encoding="utf-8")

    def _announce(self, names: list[str], manager: Manager) -> None:
        """Wait until every process is ready, then print the addresses and a one-time staff login."""
        started, waiting = time.monotonic(), [name for name in names if name in HEALTH]
        with httpx.Client(timeout=1.0) as client:
            while waiting and time.monotonic() - started < READY_TIMEOUT:
                waiting = [name for name in waiting if not _ready(client, HEALTH[name]())]
                time.sleep(0.3)
        if waiting:
            self.stderr.write(f"Not ready after {READY_TIMEOUT} s: {', '.join(waiting)}. See the lines above.")
            return
        login = StringIO()
        if "desk" in names:
            call_command("staff_login", stdout=login)
        lines = [
            "", f"Citydesk {settings.CITY_NAME} is ready ({time.monotonic() - started:.0f} s).",
            f"  Web chat       {settings.CHAT_URL}/",
            f"  API            {settings.CHAT_URL}/api/openapi.json",
            f"  Staff console  {settings.DESK_URL}/",
        ]
        if login.getvalue().strip():
            lines.append(f"  Staff login    {login.getvalue().strip().splitlines()[-1].strip()}")
        telegram = "on" if settings.TELEGRAM_TOKEN else "off (set CITYDESK_TELEGRAM_TOKEN to a token from @BotFather)"
        lines += [f"  Telegram       {telegram}", "Ctrl-C stops everything.", ""]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _printer(output: Any) -> Any:
    from honcho.printer import Printer

    return Printer(output=output, time_format="%H:%M:%S", width=9, colour=output.isatty())


def _ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.HTTPError:
        return False
