"""A chat in the terminal, over the same JSON API as the web chat."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from bot.notes import lines_under

HELP = "Type a question; a number presses that button; /new starts over; Ctrl-D or /quit ends."


class TerminalChat:
    """One conversation in the terminal: reads lines, prints replies, numbers the buttons."""

    def __init__(self, url: str, console: Console, language: str | None = None) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)
        self.console = console
        self.language = language
        self._start_over()

    def _start_over(self) -> None:
        self.conversation = f"terminal-{uuid.uuid4()}"
        self.buttons: list[dict[str, str]] = []
        self.seen = 0

    def run(self) -> None:
        """Chat until the input ends."""
        self.console.print(HELP, style="dim")
        while True:
            try:
                line = self.console.input("[bold green]> [/]").strip()
            except (EOFError, KeyboardInterrupt):
                self.console.print()
                return
            if line == "/quit":
                return
            if line == "/new":
                self._start_over()
                self.console.print("A new conversation.", style="dim")
                continue
            self._fetch_later_answers()
            if line:
                self.say(line)

    def say(self, line: str) -> dict[str, Any] | None:
        """Send a line (or the button of that number) and print the replies; return the API's response."""
        body: dict[str, Any] = {"conversation": self.conversation}
        if line.isdigit() and 1 <= int(line) <= len(self.buttons):
            body["button"] = self.buttons[int(line) - 1]["id"]
        else:
            body |= {"text": line, "language": self.language}
        try:
            response = self.client.post("/api/messages", json=body)
        except httpx.HTTPError as error:
            problem = f"The desk does not answer ({error}). Is it running? Start it with `make run`."
            self.console.print(escape(problem), style="red")
            return None
        answer = response.json()
        if response.status_code != 200:
            self.console.print(escape(answer["error"]["message"]), style="red")
            return None
        self.show(answer["replies"], answer["language"])
        self.console.print(f"[dim]{answer['outcome']}{' · ' + answer['ticket'] if answer['ticket'] else ''}[/]")
        return answer

    def show(self, replies: list[dict[str, Any]], language: str) -> None:
        """Print replies with their notes and numbered buttons."""
        buttons: list[dict[str, str]] = []
        for reply in replies:
            self.seen = max(self.seen, reply["id"])
            lines = [escape(reply["text"])]
            notes = lines_under(reply, language, str(self.client.base_url).rstrip("/"))
            lines += [f"[dim]{escape(note.text)} {escape(note.url)}[/]" for note in notes]
            for button in reply["buttons"]:
                buttons.append(button)
                lines.append(f"[cyan]{len(buttons)}[/] {escape(button['label'])}")
            title = reply["ticket"] if reply["author"] == "staff" else None
            self.console.print(Panel("\n".join(lines), title=title, border_style="blue" if title else "dim"))
        if buttons:
            self.buttons = buttons

    def _fetch_later_answers(self) -> None:
        try:
            response = self.client.get("/api/messages", params={"conversation": self.conversation, "after": self.seen})
            self.show(response.json()["replies"], self.language or "en")
        except (httpx.HTTPError, KeyError):
            return
