"""What is known not to be answered: the list, its cache, and what the decision sees of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.declined import NONE, NOTHING_NEAR, Declined, read
from knowledge.geometry import PLAIN, Geometry
from nlu.languages import CODES
from tests.knowledge.keyword_embedder import KeywordEmbedder

LIST = {"en": ["noodle recipe", "boat tax"], "vi": ["giá pagoda"]}


def vector(text: str) -> np.ndarray:
    return KeywordEmbedder().encode_query(text).vector


def test_the_list_has_every_language_and_nothing_twice():
    questions = read()
    assert set(questions) == set(CODES)
    for texts in questions.values():
        assert len(texts) == len(set(texts)) >= 20
        assert all(text == text.strip() and text for text in texts)


def test_the_nearest_and_the_mean_of_the_nearest_few_are_told():
    made = Declined.encode(LIST, KeywordEmbedder(), PLAIN)
    first, few = made.near(vector("noodle"))
    assert first == pytest.approx(1, abs=0.02)
    assert few < first


def test_a_labelled_question_does_not_know_itself():
    made = Declined.encode(LIST, KeywordEmbedder(), PLAIN)
    assert made.near(vector("boat tax"), apart_from=["boat tax"])[0] < made.near(vector("boat tax"))[0]
    assert made.near(vector("boat tax"), apart_from=["not on the list"]) == made.near(vector("boat tax"))


def test_without_a_list_nothing_is_near():
    assert NONE.near(vector("boat")) == (NOTHING_NEAR, NOTHING_NEAR)
    assert Declined.encode({"en": ["boat"]}, KeywordEmbedder(), PLAIN).near(vector("boat"), ["boat"])[0] == NOTHING_NEAR


class Counting(KeywordEmbedder):
    """Counts what it encodes as a question."""

    asked = 0

    def encode_query(self, question: str):
        self.asked += 1
        return super().encode_query(question)


def test_what_was_encoded_is_kept_until_model_or_geometry_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.declined.read", lambda: LIST)
    embedder = Counting()
    first = Declined.kept(tmp_path, embedder, PLAIN)
    again = Declined.kept(tmp_path, embedder, PLAIN)
    assert embedder.asked == 3
    assert again.near(vector("boat")) == first.near(vector("boat"))
    Declined.kept(tmp_path, embedder, Geometry(common=np.eye(7, dtype=np.float32)[:1]))
    assert embedder.asked == 6
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"anything"])
def test_a_damaged_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes):
    monkeypatch.setattr("knowledge.declined.read", lambda: LIST)
    first = Declined.kept(tmp_path, KeywordEmbedder(), PLAIN)
    next(tmp_path.iterdir()).write_bytes(damage)
    assert Declined.kept(tmp_path, KeywordEmbedder(), PLAIN).near(vector("boat")) == first.near(vector("boat"))


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.declined.read", lambda: LIST)
    (tmp_path / "file").write_text("")
    made = Declined.kept(tmp_path / "file" / "folder", KeywordEmbedder(), PLAIN)
    assert made.near(vector("noodle"))[0] == pytest.approx(1, abs=0.02)
