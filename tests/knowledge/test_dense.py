from __future__ import annotations

import numpy as np

from knowledge.dense import ByLanguage, DenseIndex


def test_scores_are_the_cosines_in_the_order_of_the_vectors():
    vectors = np.eye(3, dtype=np.float32)
    assert np.allclose(DenseIndex(vectors).scores(np.array([0.6, 0.8, 0.0], np.float32)), [0.6, 0.8, 0.0])


def test_an_empty_index_has_no_scores():
    assert len(DenseIndex(np.zeros((0, 3), np.float32)).scores(np.ones(3, np.float32))) == 0


def test_the_right_passage_of_another_language_overtakes_a_poor_one_of_the_askers_own():
    # Asked in Korean: every Korean passage is near, the English answer is far, but far above the other English ones.
    languages = ["ko"] * 20 + ["en"] * 20
    cosine = np.array([0.88, 0.885] * 10 + [0.78] * 19 + [0.84], np.float32)
    spread, above = ByLanguage(languages).standardise(cosine)
    assert spread.argmax() == above.argmax() == 39


def test_passages_that_are_all_alike_stay_alike_and_finite():
    spread, _ = ByLanguage(["vi", "en", "vi"]).standardise(np.full(3, 0.9, np.float32))
    assert np.isfinite(spread).all()
    assert np.allclose(spread, spread[0], atol=0.01)


def test_a_language_of_one_passage_can_still_be_found():
    spread, _ = ByLanguage(["en", "en", "en", "vi"]).standardise(np.array([0.1, 0.2, 0.1, 1.0], np.float32))
    assert spread.argmax() == 3
