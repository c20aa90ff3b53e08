"""From the dialogue's items to replies: what is said, with which buttons, and how the turn ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.models import Outcome
from bot.texts import say

HUMAN = "/human"
# The order that erases everything; an update that carries it is worked off again after a crash (desk/erasure.py).
FORGET = "forget:yes"
# The intent of what `bot` carries out itself (bot/orders.py): said whoever has the conversation (the gate, the outbox).
OWN = "own_order"

# Of several outcomes in one turn (a question answered in the middle of a form) the first of these counts.
PRECEDENCE = (
    Outcome.EMERGENCY, Outcome.HANDED_OFF, Outcome.FAILED, Outcome.REFUSED, Outcome.ANSWERED, Outcome.CLARIFY,
    Outcome.NOT_KNOWN, Outcome.FORM, Outcome.SMALL_TALK,
)


@dataclass(frozen=True)
class Choice:
    """A button before it has an id: its label, and the order it stands for."""

    label: str
    payload: str


@dataclass
class Draft:
    """One reply before it is stored: a text, or an entry to be read just before sending."""

    text: str = ""
    entry: str | None = None
    entries: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    human: bool = False
    # Number of the receipt that this reply is; a web page that gets it erases what it has kept itself.
    receipt: str = ""


@dataclass
class Ending:
    """How a turn ended, merged from everything that was said about it."""

    outcome: Outcome = Outcome.FAILED
    form: str = ""
    requested: str = ""
    intent: str = ""
    entry: str = ""
    entry_language: str = ""
    score: float | None = None
    near: list[dict[str, Any]] = field(default_factory=list)
    ticket: str = ""
    language: str | None = None
    degraded: bool = False


def payload(intent: str, **entities: str) -> str:
    """Return the order that Rasa reads as an intent with entities."""
    return f"/{intent}{json.dumps(entities, ensure_ascii=False)}" if entities else f"/{intent}"


def read_items(items: Iterable[dict[str, Any]]) -> tuple[list[Draft], Ending]:
    """Return the drafts and the ending that the dialogue's items stand for (docs/architecture.md §2)."""
    drafts: list[Draft] = []
    turns: list[dict[str, Any]] = []
    for item in items:
        custom = item.get("custom") or {}
        kind = custom.get("kind")
        if kind == "turn":
            turns.append(custom)
        elif kind == "answer":
            drafts.append(Draft(entry=custom["entry"]))
        elif kind == "choices":
            if not drafts:
                drafts.append(Draft())
            drafts[-1].entries.extend(custom.get("entries") or [])
            drafts[-1].human = drafts[-1].human or bool(custom.get("human"))
        elif item.get("text"):
            choices = [Choice(button["title"], button["payload"]) for button in item.get("buttons") or []]
            drafts.append(Draft(text=item["text"], choices=choices))
    return drafts, _merge(turns)


def _merge(turns: list[dict[str, Any]]) -> Ending:
    ending = Ending()
    if not turns:
        return ending
    for turn in turns:
        for name in ("intent", "entry", "entry_language", "score", "near", "ticket", "language"):
            if turn.get(name):
                setattr(ending, name, turn[name])
    ending.form = turns[-1].get("form") or ""
    ending.requested = turns[-1].get("requested") or ""
    outcomes = {Outcome(turn["outcome"]) for turn in turns}
    ending.outcome = next(outcome for outcome in PRECEDENCE if outcome in outcomes)
    return ending


def text_reply(key: str, language: str, /, **values: object) -> Draft:
    """Return a reply of the channels' own texts."""
    return Draft(text=say(key, language, **values))


def human_choice(language: str) -> Choice:
    """Return the button that asks for a person."""
    return Choice(say("talk_to_person", language), HUMAN)
