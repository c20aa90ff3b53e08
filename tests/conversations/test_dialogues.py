"""Whole dialogues, written as files: what is said, and what must come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conversations.conftest import Chat, Desk, Reply

FILES = sorted(Path(__file__).parent.glob("*.yml"))
pytestmark = pytest.mark.rasa


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dialogue(desk: Desk, file: Path) -> None:
    script = yaml.safe_load(file.read_text(encoding="utf-8"))
    chat = Chat(desk, script["language"], known=script.get("known", True))
    try:
        for number, step in enumerate(script["steps"], start=1):
            desk.knowledge.down = step.get("knowledge") == "down"
            if "say" in step:
                reply = chat.say(step["say"])
            elif "press" in step:
                reply = chat.press(step["press"])
            else:
                reply = chat.order(step["order"])
            check(reply, step, f"{file.name}, step {number}: {step}\n→ {reply.items}")
            if "about" in step:  # what the search was told was answered last
                assert desk.knowledge.asked[-1].get("about") == step["about"], f"{file.name}, step {number}: {step}"
    finally:
        desk.knowledge.down = False
    tickets = desk.tickets(chat.id)
    assert [ticket["kind"] for ticket in tickets] == script.get("tickets", []), tickets
    for key, value in (script.get("ticket") or {}).items():
        assert value in str(tickets[0][key]), (key, tickets[0][key])


def check(reply: Reply, step: dict[str, Any], where: str) -> None:
    last = reply.turns[-1]
    if "outcome" in step:
        assert reply.outcome == step["outcome"], where
    if "asks" in step:
        assert (last.get("requested") or "") == step["asks"], where
        assert (last.get("form") or None) == (step["asks"].split("_")[0] if step["asks"] else None), where
    if "entry" in step:
        assert (reply.custom("answer") or {}).get("entry") == step["entry"], where
    if "choices" in step:
        assert (reply.custom("choices") or {}).get("entries") == step["choices"], where
    if "language" in step:
        assert last.get("language") == step["language"], where
    for text in [step["text"]] if isinstance(step.get("text"), str) else step.get("text", []):
        assert text in reply.text, where
    if "without" in step:
        assert step["without"] not in reply.text, where


def test_the_dialogue_engine_stays_small(desk: Desk) -> None:
    # Issue 2, point 4: under 700 MB resident, after it has talked.
    Chat(desk, "en").say("hello")
    status = Path(f"/proc/{desk.rasa_pid}/status")
    if not status.exists():
        pytest.skip("There is no /proc here.")
    kilobytes = next(
        int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS")
    )
    assert kilobytes < 700_000
