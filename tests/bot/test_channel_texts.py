"""The channels' own texts: every language, the same placeholders, and no text too many."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

from bot.own_data import STATES
from bot.texts import read_channel_texts, say
from desk.models import Kind, Pause, State
from knowledge.models import Category
from nlu.languages import CODES

ROOT = Path(__file__).resolve().parents[2]
TEXTS = read_channel_texts()


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_a_text_stands_in_every_language_with_the_same_placeholders(key: str) -> None:
    assert set(TEXTS[key]) == set(CODES)
    assert all(text.strip() for text in TEXTS[key].values())
    assert {frozenset(placeholders(text)) for text in TEXTS[key].values()} == {
        frozenset(placeholders(TEXTS[key]["en"]))
    }


def test_every_text_that_the_code_says_exists_and_every_text_is_said() -> None:
    files = [file for folder in ("bot", "desk") for file in sorted((ROOT / folder).rglob("*.py"))]
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    said = set(re.findall(r'(?:say|text_reply|tell|FileRefused)\(\s*(?:\w+, )?["\'](\w+)["\']', code)) | set(
        re.findall(r'error\(request, \d+, "\w+", "(\w+)"', code)
    )
    own = {key for key in said if not key.startswith("utter_")}
    commands = {key for key in TEXTS if key.startswith("command_")}
    # /mydata names what a request is about and how far it has come (bot/own_data.py).
    chosen = {f"kind_{kind}" for kind in Kind.values} | {f"state_{STATES.get(state, state)}" for state in State.values}
    # What is paused, and why (bot/pauses.py).
    chosen |= {f"topic_{category}" for category in Category.values}
    chosen |= {f"paused_because_{reason}" for reason in Pause.Reason.values}
    assert own | chosen <= set(TEXTS)
    assert set(TEXTS) - commands - chosen - own == set()


def test_a_language_that_we_do_not_speak_gets_english() -> None:
    assert say("empty", "pt") == say("empty", "en")


def test_the_bot_imports_neither_torch_nor_rasa() -> None:
    code = (
        "import django; django.setup(); import bot.app, bot.telegram.channel, bot.telegram.sender, sys; "
        "heavy = {'torch', 'rasa', 'sentence_transformers', 'faiss', 'onnxruntime', 'numpy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**__import__("os").environ, "DJANGO_SETTINGS_MODULE": "desk.settings"},
    )
    assert done.stdout.strip() == "[]", done.stderr
