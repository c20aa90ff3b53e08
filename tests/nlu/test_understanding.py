"""The trained pipeline: what messages are understood as, outside and inside a form."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.nlu.rasa_model import PYTHON, ROOT, environment, trained_model

pytestmark = pytest.mark.rasa
HELD_OUT = [json.loads(line) for line in (ROOT / "tests" / "data" / "intents.jsonl").read_text().splitlines()]

# text, language, the slot that waits, and what it must be understood as
IN_A_FORM = [
    ("Sarah Miller, BBC", "en", "press_name", "inform"),
    ("when does the pagoda open", "en", "press_name", "ask"),
    ("How much is the boat?", "en", "press_contact", "ask"),
    ("Where do fishermen live now? We want to film them.", "en", "press_subject", "inform"),
    ("I want to interview the mayor about the merger", "en", "press_subject", "inform"),
    ("French", "en", "press_country", "inform"),
    ("speak Korean", "en", "press_name", "set_language"),
    ("cancel", "en", "press_subject", "cancel"),
    ("hủy", "vi", "human_message", "cancel"),
    ("correct the deadline", "en", "press_subject", "correct"),
    ("sửa email", "vi", "press_confirm", "correct"),
    ("yes", "en", "press_confirm", "inform"),
    ("oui", "fr", "press_consent", "inform"),
    ("sửa địa điểm", "vi", "complaint_confirm", "correct"),
    ("Why was nobody there? It was dark.", "en", "complaint_subject", "inform"),
    ("sector", "en", "investment_field", "correct"),
    ("không", "vi", "press_confirm", "correct"),
    ("不", "zh", "press_deadline", "inform"),
    ("help! my boat is sinking", "en", "press_name", "emergency"),
    ("hello", "en", "press_outlet", "greet"),
    ("tomorrow at 5 pm", "en", "press_deadline", "inform"),
    ("내일 오후 5시", "ko", "press_deadline", "inform"),
    ("書面で", "ja", "press_format", "inform"),
    ("+84 912 345 678", "vi", "press_contact", "inform"),
    ("хочу поговорить с человеком", "ru", "press_name", "human"),
    ("je suis journaliste au Monde", "fr", "press_outlet", "inform"),
    ("How do I extend my visa? Please answer quickly.", "en", "human_message", "inform"),
]


def parse(model: Path, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [PYTHON, "tests/nlu/parse_messages.py", str(model)],
        cwd=ROOT,
        env=environment(),
        input="\n".join(map(json.dumps, messages)),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not PYTHON.exists():
        pytest.skip("There is no .venv/rasa; `make` builds it.")
    return trained_model(tmp_path_factory.mktemp("understanding"))


@pytest.fixture(scope="module")
def found(model: Path) -> dict[str, list[dict[str, Any]]]:
    """All messages of this file, read in one process: loading takes longer than reading."""
    held_out = [{"text": r["text"], "metadata": {"language": r["language"][:2]}} for r in HELD_OUT]
    in_a_form = [
        {"text": t, "metadata": {"language": code, "requested": slot}} for t, code, slot, _ in IN_A_FORM
    ]
    items = parse(model, held_out + in_a_form)
    return {"held_out": items[: len(held_out)], "in_a_form": items[len(held_out) :]}


def test_held_out_messages_in_every_language(found: dict[str, list[dict[str, Any]]]) -> None:
    right, total, wrong = Counter(), Counter(), []
    for row, item in zip(HELD_OUT, found["held_out"], strict=True):
        total[row["language"]] += 1
        right[row["language"]] += item["intent"] == row["intent"]
        if item["intent"] != row["intent"]:
            wrong.append((row["text"], row["intent"], item["intent"]))
        elif row["intent"] != "set_language":
            assert item["entities"]["language"] == row["language"][:2], row
    assert right.total() / total.total() >= 0.95, wrong
    assert all(right[language] / total[language] >= 0.9 for language in total), wrong


def test_messages_while_a_form_waits(found: dict[str, list[dict[str, Any]]]) -> None:
    wrong = [
        (text, slot, expected, item["intent"])
        for (text, _, slot, expected), item in zip(IN_A_FORM, found["in_a_form"], strict=True)
        if item["intent"] != expected
    ]
    assert wrong == []


def test_a_reloaded_model_reads_the_same(model: Path, found: dict[str, list[dict[str, Any]]]) -> None:
    again = parse(
        model, [{"text": r["text"], "metadata": {"language": r["language"][:2]}} for r in HELD_OUT[:20]]
    )
    assert again == found["held_out"][:20]


def test_a_missing_model_folder_is_named(model: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [PYTHON, "tests/nlu/parse_messages.py", str(model)],
        cwd=ROOT,
        env=environment(CITYDESK_MODEL=str(tmp_path / "nowhere")),
        input="",
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "nowhere" in done.stderr
    assert "make model" in done.stderr


def test_data_and_domain_are_valid(model: Path) -> None:
    done = subprocess.run(
        [PYTHON, "-m", "nlu.server", "validate"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    # Responses that actions utter and intents that only buttons send look unused to Rasa; nothing else may
    # be wrong.
    warnings = [line for line in output.splitlines() if "UserWarning" in line]
    odd = [
        w for w in warnings if "is not used in any story or rule" not in w and "not found in the NLU" not in w
    ]
    assert odd == []
