"""Late interaction and the geometry that makes vectors comparable, on vectors that can be read by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.geometry import PLAIN, Geometry, unit
from knowledge.late import LateInteraction, Tokens, quantise

RANDOM = np.random.default_rng(1)


def tokens(*texts: list[list[float]]) -> Tokens:
    arrays = [np.array(text, np.float32).reshape(-1, 3) for text in texts]
    return Tokens.of([(quantise(each), np.arange(len(each), dtype=np.int32)) for each in arrays], 3)


def test_every_token_of_a_question_takes_its_most_similar_of_the_passage():
    late = LateInteraction(tokens([[1, 0, 0], [0, 1, 0]], [[0, 0, 1]]))
    question = np.array([[1, 0, 0], [0, 0.6, 0.8]], np.float32)
    forth, back = late.compare(question, np.array([0, 1]))
    np.testing.assert_allclose(forth, [[1, 0], [0.6, 0.8]], atol=0.01)
    np.testing.assert_allclose(back, [(1 + 0.6) / 2, 0.8], atol=0.01)


def test_a_passage_without_tokens_is_like_nothing():
    late = LateInteraction(tokens([], [[1, 0, 0]]))
    forth, back = late.compare(np.array([[1, 0, 0]], np.float32), np.array([0, 1]))
    np.testing.assert_allclose((forth[0], back), [[0, 1], [0, 1]], atol=0.01)
    assert late.compare(np.zeros((0, 3), np.float32), np.array([0, 1]))[0].shape == (0, 2)
    assert late.compare(np.array([[1, 0, 0]], np.float32), np.array([0]))[0].tolist() == [[0]]


def test_a_rare_token_counts_more_and_an_unseen_one_most():
    made = Tokens(np.zeros((5, 3), np.int8), np.array([7, 8, 7, 7, 7], np.int32), np.array([2, 2, 1], np.int32))
    weights = LateInteraction(made).weights(np.array([7, 8, 99], np.int32))
    assert weights[0] < weights[1] < weights[2]
    assert weights.sum() == pytest.approx(1)


def test_bytes_keep_a_direction_to_a_hundredth():
    rows = unit(RANDOM.normal(size=(200, 256)).astype(np.float32))
    again = unit(quantise(rows).astype(np.float32))
    assert (rows * again).sum(axis=1).min() > 0.999


def test_what_a_language_adds_to_every_text_is_taken_away():
    meaning = unit(RANDOM.normal(size=(60, 8)).astype(np.float32))
    korean = np.array([3, 0, 0, 0, 0, 0, 0, 0], np.float32)
    vectors = np.concatenate([meaning, meaning + korean])
    languages = ["vi"] * 60 + ["ko"] * 60
    geometry = Geometry.fit((vectors, languages), (vectors, languages), list(vectors[:, None]), list(vectors[:, None]))
    made = geometry.passage_rows(vectors, languages)
    np.testing.assert_allclose(made[:60], made[60:], atol=0.01)
    np.testing.assert_allclose(geometry.question(vectors[70], "ko"), made[70], atol=0.01)
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_geometry_is_read_as_it_was_written_and_known_by_its_digest(tmp_path: Path):
    vectors = unit(RANDOM.normal(size=(30, 8)).astype(np.float32))
    languages = ["vi", "en", "ko"] * 10
    made = Geometry.fit((vectors, languages), (vectors, languages), list(vectors[:, None]), list(vectors[:, None]))
    made.write(tmp_path / "m.npz")
    read = Geometry.read(tmp_path / "m.npz")
    assert read.digest == made.digest != PLAIN.digest
    np.testing.assert_array_equal(read.question(vectors[0], "fr"), made.question(vectors[0], "fr"))
    np.testing.assert_array_equal(read.passage_token_rows(vectors, "vi"), made.passage_token_rows(vectors, "vi"))
