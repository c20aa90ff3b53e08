"""The same conversation scripts on both channels: what passes in the web chat passes in Telegram."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.people import Heard, Person
from tests.e2e.stack import Stack, dumps, script

pytestmark = pytest.mark.e2e
SCRIPTS = sorted((Path(__file__).resolve().parent / "scripts").glob("*.yml"))
NUMBER = re.compile(r"MT-\d{4}-\d{4,}")


@pytest.mark.parametrize("file", SCRIPTS, ids=[file.stem for file in SCRIPTS])
def test_a_script_passes_on_either_channel(stack: Stack, person: Person, file: Path) -> None:
    told = script(file)
    for number, step in enumerate(told["steps"], 1):
        heard = person.say(step["say"]) if "say" in step else person.press(step["press"])
        where = f"{file.name}, step {number} ({step.get('say') or step.get('press')}):\n{dumps(vars(heard))}"
        check(step, heard, where)
        if "ticket" in step:
            check_ticket(stack, step, heard, where)
    if "tickets" in told:
        assert len(tickets(stack, person)) == told["tickets"]


def check(step: dict[str, Any], heard: Heard, where: str) -> None:
    assert heard.texts, f"silence at {where}"
    allowed = step.get("outcome")
    if allowed:
        assert heard.outcome in ([allowed] if isinstance(allowed, str) else allowed), where
    assert heard.outcome != step.get("not_outcome"), where
    for name in ("entry", "language", "form"):
        if name in step:
            assert getattr(heard, name) == step[name], f"{name} at {where}"
    for part in step.get("contains", ()):
        assert part in heard.text, f"{part!r} at {where}"
    for label in step.get("buttons", ()):
        assert label in heard.labels, f"button {label!r} at {where}"


def check_ticket(stack: Stack, step: dict[str, Any], heard: Heard, where: str) -> None:
    assert NUMBER.fullmatch(heard.ticket), where
    assert heard.ticket in heard.text, where
    [ticket] = stack.rows("select * from desk_ticket where number = ?", heard.ticket)
    assert (ticket["kind"], ticket["state"]) == (step["ticket"], "open")
    fields = json.loads(ticket["fields"])
    for name, value in step.get("fields", {}).items():
        assert fields.get(name, fields.get(name.removeprefix("press_"))) == value, dumps(fields)


def tickets(stack: Stack, person: Person) -> list[dict[str, Any]]:
    return stack.rows(
        """select t.* from desk_ticket t join bot_conversation c on c.id = t.conversation_id
           where c.channel = ? and c.chat_id = ?""",
        person.channel,
        person.chat,
    )


def test_both_channels_say_the_same_words(stack: Stack, web: Any, telegram: Any) -> None:
    for text in ("xin chào", "빈짱 사원은 몇 시에 열어요?", "I would like to talk to a person"):
        one, other = web.say(text), telegram.say(text)
        assert (one.outcome, one.language, one.entry) == (other.outcome, other.language, other.entry)
        for said, shown in zip(one.texts, other.texts, strict=True):
            assert shown.startswith(said)
        assert [label[:50] for label in one.labels] == [label[:50] for label in other.labels]
