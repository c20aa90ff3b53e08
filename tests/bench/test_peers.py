from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge.labelled import Question
from tests.bench.peers import best_entries, measure, show, strip_diacritics

QUESTIONS = [Question(str(number), "vi", f"q{number}", ("right",)) for number in range(8)]


def test_an_entry_is_found_by_its_best_passage():
    assert best_entries([2, 0, 1], ["a", "b", "a"]) == ["a", "b"]
    assert len(best_entries(range(30), [str(number) for number in range(30)])) == 10


def test_stripped_vietnamese_keeps_its_capitals_and_nothing_else():
    assert strip_diacritics("Đường đến chùa Vĩnh Tràng, Mỹ Tho?") == "Duong den chua Vinh Trang, My Tho?"


def test_every_system_is_asked_first_as_often_as_the_others():
    asked: list[str] = []

    def system(name: str, answer: str):
        def search(text: str, language: str) -> list[str]:
            asked.append(name)
            return [answer]
        return search

    found = measure({"a": system("a", "right"), "b": system("b", "wrong")}, QUESTIONS)
    assert asked[::2].count("a") == asked[::2].count("b") == 4
    assert (found["a"]["recall@1"], found["b"]["recall@1"]) == (1.0, 0.0)
    assert found["a"]["n"] == 8
    assert found["a"]["p95_ms"] >= found["a"]["p50_ms"] >= 0


def test_the_table_cuts_nothing_at_eighty_columns(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    figures = measure({"txtai hybrid": lambda *_: ["right"]}, [replace(QUESTIONS[0], relevant=("right",))])
    show({"paragraphs vi->vi": figures})
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "txtai hybrid" in shown
    assert "1.000" in shown
