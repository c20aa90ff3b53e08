from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import NotCalibrated
from knowledge.geometry import PLAIN
from knowledge.passages import Passage
from knowledge.searcher import FEATURES, WEIGHED, Calibration, Searcher
from knowledge.snapshot import Snapshot, encode
from tests.knowledge.keyword_embedder import KeywordEmbedder

TODAY = dt.date(2026, 11, 23)
# Answers when the words agree; numbers by hand, so that the outcomes can be seen by eye.
BY_HAND = Calibration(
    "keywords@test", 0.5, 0.2, bias=-3.0, weights=tuple(6.0 if name == "coverage" else 0.0 for name in FEATURES)
)


def searcher(*rows: tuple[str, str, str], embedder=None, calibration=BY_HAND, **dates) -> Searcher:
    embedder = embedder or KeywordEmbedder()
    passages = tuple(
        Passage(f"{entry}/{language}/question/{n}", entry, language, "question", text, text, **dates.get(entry, {}))
        for n, (entry, language, text) in enumerate(rows)
    )
    geometry = calibration.geometry if calibration else PLAIN
    snapshot = Snapshot(1, embedder.name, passages, *encode(passages, embedder, None, geometry))
    return Searcher(snapshot, embedder, calibration)


ROWS = (
    ("hours", "en", "when is the pagoda open"), ("hours", "vi", "chùa mở cửa lúc mấy giờ"),
    ("boats", "en", "boat price"), ("noodles", "en", "noodle soup"),
)


def test_the_entry_whose_words_and_meaning_agree_comes_first():
    hits = searcher(*ROWS).hits("what is the price of a boat", TODAY)
    assert [hit.entry for hit in hits][0] == "boats"


def test_an_entry_is_found_once_through_its_best_language():
    hits = searcher(*ROWS).hits("chua mo cua luc nao", TODAY)
    assert (hits[0].entry, hits[0].language) == ("hours", "vi")
    assert len({hit.entry for hit in hits}) == len(hits)


def test_vietnamese_without_diacritics_is_embedded_with_them_and_matched_as_typed():
    asked = []

    class Listening(KeywordEmbedder):
        def encode_query(self, question: str):
            asked.append(question)
            return super().encode_query(question)

    made = searcher(*ROWS, embedder=Listening())
    asked.clear()
    assert made.search("chua mo cua luc may gio", "vi", TODAY).hits[0].entry == "hours"
    made.search("chua mo cua", "en", TODAY)
    assert asked == ["chùa mở cửa lúc mấy giờ", "chua mo cua"]


def test_every_near_miss_carries_its_own_probability():
    decision = searcher(*ROWS).search("boat price", "en", TODAY)
    scores = [hit.score for hit in decision.hits]
    assert decision.score == scores[0] == max(scores)
    assert all(0 < score < 1 for score in scores)


def test_the_likeliest_of_the_first_few_comes_first_whatever_the_sum_says():
    doubting = Calibration(
        "keywords@test", 0.5, 0.2, weights=tuple(-6.0 if name == "coverage" else 0.0 for name in FEATURES)
    )
    made = searcher(*ROWS, calibration=doubting)
    found = [hit.entry for hit in made.hits("boat price", TODAY)]
    hits = made.search("boat price", "en", TODAY).hits
    assert found[0] == "boats" != hits[0].entry
    assert {hit.entry for hit in hits[:WEIGHED]} == set(found[:WEIGHED])
    assert [hit.score for hit in hits[:WEIGHED]] == sorted((hit.score for hit in hits[:WEIGHED]), reverse=True)
    assert made.search("boat price", "en", TODAY, top_k=1).hits == hits[:1]


def test_each_leg_can_be_asked_alone():
    made = searcher(*ROWS)
    assert made.hits("noodle", TODAY, lexical=False)[0].entry == "noodles"
    assert made.hits("soup", TODAY, dense=False)[0].entry == "noodles"


def test_the_decision_answers_asks_back_or_declines():
    made = searcher(*ROWS)
    assert made.search("boat price", "en", TODAY).outcome == "answered"
    assert made.search("boat wifi password", "en", TODAY).outcome == "not_known"
    assert made.search("football score", "en", TODAY).entry is None


def test_an_expired_or_future_entry_is_never_found_even_with_an_old_index():
    made = searcher(*ROWS, boats={"valid_until": "2026-11-22"}, noodles={"valid_from": "2026-11-24"})
    for question in ("boat price", "noodle soup"):
        assert {hit.entry for hit in made.hits(question, TODAY)} <= {"hours"}
    assert made.hits("boat price", dt.date(2026, 11, 22))[0].entry == "boats"


def test_an_empty_knowledge_base_knows_nothing():
    assert searcher().search("boat", "en", TODAY).outcome == "not_known"


def test_a_question_of_unknown_words_only_still_gets_near_misses():
    assert searcher(*ROWS).search("zzz qqq", "en", TODAY).outcome == "not_known"


def test_a_model_without_calibration_is_refused_with_the_command(tmp_path):
    with pytest.raises(NotCalibrated, match=r"'other'.*manage.py calibrate"):
        Calibration.read("other")
    with pytest.raises(NotCalibrated):
        searcher(*ROWS, calibration=None).search("boat", "en", TODAY)


def test_the_default_model_is_calibrated(embedder: SentenceTransformerEmbedder):
    assert 0 < Calibration.read(embedder.name).clarify_from < Calibration.read(embedder.name).answer_from < 1


def test_fifty_questions_at_once_find_what_each_finds_alone(embedder: SentenceTransformerEmbedder):
    made = searcher(*ROWS, embedder=embedder, calibration=Calibration.read(embedder.name))
    questions = [f"{text} {n}" for n in range(17) for text in ("boat price", "mấy giờ mở cửa", "noodle soup")][:50]
    alone = [[hit.entry for hit in made.hits(question, TODAY)] for question in questions]
    embedder._cached.cache_clear()
    barrier = threading.Barrier(50)

    def ask(question: str) -> list[str]:
        barrier.wait()
        return [hit.entry for hit in made.hits(question, TODAY)]

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(ask, questions)) == alone


def test_scores_are_finite_when_all_passages_are_alike():
    made = searcher(("a", "en", "boat"), ("b", "en", "boat"))
    assert all(np.isfinite(hit.score) for hit in made.hits("boat", TODAY))
