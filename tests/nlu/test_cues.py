"""Emergencies: every cue is found, no look-alike is taken for one; how cues are read (press: test_press.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlu import emergency, press
from nlu.cues import read_cues

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("row", rows("emergency"), ids=lambda row: row["text"][:40])
def test_emergency(row: dict[str, Any]) -> None:
    assert (emergency.detect(row["text"]) is not None) is row["emergency"]


def test_the_emergency_set_is_large_enough() -> None:
    flags = [row["emergency"] for row in rows("emergency")]
    assert flags.count(True) >= 60
    assert flags.count(False) >= 40


def test_accents_decide_where_they_are_typed() -> None:
    assert emergency.detect("quán đang cháy") is not None
    assert emergency.detect("quán chay ngon") is None


def test_a_broken_pattern_names_its_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "emergency.txt").write_text("[fire]\nfire\n(oops\n")
    with pytest.raises(ValueError, match=r"emergency\.txt, line 3"):
        read_cues("emergency", tmp_path)


@pytest.mark.parametrize(
    "text", ["", "a" * 5000, "(" * 1000, "help " * 1000, "救" * 3000, "fire fire " * 500]
)
def test_long_and_odd_texts_do_not_run_away(text: str) -> None:
    import time

    start = time.process_time()
    emergency.detect(text)
    press.detect(text)
    # Far above the 0.1 s it takes: a pattern that backtracks over 5,000 characters takes minutes.
    assert time.process_time() - start < 20
