"""Press requests and questions for the city's position: found in every language, told from what sounds like them."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from nlu import measure_press, press
from tests.nlu.rasa_model import PYTHON, ROOT, environment, trained_model

ROWS = [json.loads(line) for line in measure_press.LABELLED.read_text(encoding="utf-8").splitlines()]
HELD_OUT = [row for row in ROWS if row["split"] != "tune"]
TEST = [row for row in HELD_OUT if row["split"] == "test"]
ORDINARY = ("look_alike", "journalist_ordinary")


def test_the_set_is_large_enough_and_two_fifths_are_held_out() -> None:
    kinds, held_out = Counter(row["kind"] for row in ROWS), Counter(row["kind"] for row in HELD_OUT)
    assert kinds["press"] >= 250
    assert held_out["press"] >= 0.39 * kinds["press"]
    assert sum(held_out[kind] for kind in ORDINARY) >= 120
    assert kinds["position"] >= 40
    assert len({row["language"] for row in HELD_OUT if row["kind"] == "press"}) >= 12


def test_nothing_held_out_is_trained() -> None:
    trained = set()
    for file in (ROOT / "nlu" / "training").glob("*.yml"):
        for block in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]:
            trained |= {line.strip()[2:].casefold() for line in block["examples"].splitlines()}
    assert len(trained) > 1000
    assert [row["text"] for row in HELD_OUT if row["text"].casefold() in trained] == []


def test_the_cues_alone() -> None:
    """What is left while Rasa is down; the shares are those measured, with a little room."""
    figures = measure_press.measure(TEST, measure_press.by_cues([row["text"] for row in TEST]))["all"]
    assert figures["recall"] >= 0.92
    assert figures["false_hand_offs"] <= 0.02
    assert figures["positions_found"] >= 0.9


@pytest.mark.parametrize(
    "text",
    [
        "I'm a reporter on holiday with my family, where can I meet someone who rents boats?",
        "Je suis journaliste en vacances, où rencontrer un guide ?",
        "Я журналист в отпуске, хочу поговорить с гидом",
    ],
)
def test_a_journalist_on_holiday_asks_like_anybody(text: str) -> None:
    assert press.is_ordinary(text)
    assert press.detect(text) is None


@pytest.mark.parametrize("text", ["taxi stand on Le Loi street", "입장료가 얼마예요", "view of the river"])
def test_words_that_only_sound_like_a_position(text: str) -> None:
    assert not press.asks_position(text)


def test_what_is_measured() -> None:
    kinds = ("press", "press", "look_alike", "look_alike", "position", "position")
    reads = ((1, 0), (0, 1), (0, 1), (0, 0), (1, 0), (0, 0))
    rows = [{"text": str(n), "language": "en", "kind": kind} for n, kind in enumerate(kinds)]
    found = [measure_press.Read(bool(p), bool(q)) for p, q in reads]
    figures = measure_press.measure(rows, found)
    assert figures["all"] == {
        "press": 2, "recall": 0.5, "look_alikes": 2, "false_hand_offs": 0.5, "positions": 2, "positions_found": 0.5,
    }
    assert [row["text"] for row in figures["wrong"]] == ["1", "2", "5"]


@pytest.mark.rasa
def test_the_trained_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The target is a recall of 0.99 and 2 % false hand-offs; the bounds are what is reached."""
    if not PYTHON.exists():
        pytest.skip("There is no .venv/rasa; `make` builds it.")
    model: Path = trained_model(tmp_path_factory.mktemp("press"))
    done = subprocess.run(
        [PYTHON, "-m", "nlu.measure_press", "--json", "--model", str(model)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=200,
    )
    assert done.stdout.strip(), done.stderr[-3000:]
    figures = json.loads(done.stdout)["all"]
    reached = figures["recall"] >= measure_press.MIN_RECALL and figures["false_hand_offs"] <= measure_press.MAX_FALSE
    assert done.returncode == (0 if reached else 1)
    assert figures["recall"] >= 0.97
    assert figures["false_hand_offs"] <= 0.03
    assert figures["positions_found"] >= 0.9
