"""Many questions at a time: no error, and every one gets what it would get alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn

from knowledge import searcher as searchers
from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.keeper import Keeper
from knowledge.searcher import FEATURES, Calibration
from knowledge.service import build_app
from tests.bench.service import questions
from tests.knowledge.builders import entry, translation
from tests.knowledge.keyword_embedder import KeywordEmbedder

AT_A_TIME = 50
ASKED = ("boat price", "pagoda open", "tax", "noodle soup", "zeppelin")
TEXTS = [f"{ASKED[number % len(ASKED)]} {number}" for number in range(AT_A_TIME)]
WEIGHTS = tuple(6.0 if name == "coverage" else 0.0 for name in FEATURES)


@pytest.fixture
def keeper(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    by_hand = Calibration(KeywordEmbedder.name, 0.5, 0.2, bias=-3.0, weights=WEIGHTS)
    monkeypatch.setattr(searchers.Calibration, "read", classmethod(lambda *_: by_hand))
    for number, text in enumerate(("boat price", "pagoda open", "tax price", "noodle soup", "open boat")):
        translation(entry(f"e{number}"), "en", text, f"Answer {number}.")
    made = Keeper(tmp_path / "index", KeywordEmbedder(), 0.01)
    monkeypatch.setattr(made, "_watch", lambda: None)
    made.start()
    monkeypatch.setattr(made, "start", lambda: None)
    return made


@pytest.fixture
def url(keeper: Keeper) -> Iterator[str]:
    """The service as it runs, on a port of its own."""
    server = uvicorn.Server(uvicorn.Config(build_app(keeper), port=0, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def ask_all(url: str, texts: list[str]) -> list[dict[str, Any]]:
    together = threading.Barrier(AT_A_TIME)

    def ask(text: str) -> dict[str, Any]:
        with httpx.Client(base_url=url, timeout=30) as client:
            together.wait()
            response = client.post("/search", json={"text": text, "language": "en"})
        assert response.status_code == 200
        return {**response.json(), "revision": None}

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(ask, texts))




def test_fifty_questions_at_a_time_get_what_each_gets_alone(url: str):
    with httpx.Client(base_url=url) as client:
        alone = [client.post("/search", json={"text": text, "language": "en"}).json() for text in TEXTS]
    assert {each["outcome"] for each in alone} > {"answered"}
    assert ask_all(url, TEXTS) == [{**each, "revision": None} for each in alone]


def test_questions_are_answered_while_the_index_is_replaced(url: str, keeper: Keeper):
    """A request sees one snapshot: what is added meanwhile changes no answer to these."""
    before = ask_all(url, TEXTS)
    over = threading.Event()

    def replace() -> int:
        count = 0
        while not over.is_set():
            keeper._serve(keeper.searcher.snapshot)
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        replacing = pool.submit(replace)
        try:
            assert ask_all(url, TEXTS) == before
        finally:
            over.set()
        assert replacing.result() > 1


def test_questions_are_encoded_the_same_beside_passages_and_each_other(embedder: SentenceTransformerEmbedder):
    """No batches, one thread each: who else asks must not change a vector, not in the last bit."""
    asked = [each["text"] for each in questions(AT_A_TIME)]
    alone = [embedder._encode_query(text) for text in asked]
    passages = [f"Passage {number} about the river." for number in range(64)]
    with ThreadPoolExecutor(AT_A_TIME + 1) as pool:
        beside = pool.submit(embedder.encode_passages, passages)
        together = list(pool.map(embedder._encode_query, asked))
        assert len(beside.result()) == len(passages)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)
        np.testing.assert_array_equal(one.tokens, other.tokens)
        np.testing.assert_array_equal(one.ids, other.ids)


def test_the_questions_of_the_measurement_are_all_different():
    asked = questions(2000)
    assert len({each["text"] for each in asked}) == 2000
    assert len({each["language"] for each in asked[:16]}) == 7
