from __future__ import annotations

import time

import pytest
from django.db import OperationalError
from starlette.testclient import TestClient

from knowledge import searcher as searchers
from knowledge.keeper import Keeper
from knowledge.models import KnowledgeState, Translation
from knowledge.searcher import FEATURES, Calibration
from knowledge.service import build_app
from tests.knowledge.builders import entry, translation
from tests.knowledge.keyword_embedder import KeywordEmbedder

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """A keeper over two entries whose watch is done by hand."""
    weights = tuple(6.0 if name == "coverage" else 0.0 for name in FEATURES)
    by_hand = Calibration("keywords@test", 0.5, 0.2, bias=-3.0, weights=weights)
    monkeypatch.setattr(searchers.Calibration, "read", classmethod(lambda *_: by_hand))
    translation(entry("boats"), "en", "boat price", "Ask at the pier.")
    translation(entry("hours"), "en", "pagoda open", "In the daytime.")
    made = Keeper(tmp_path / "index", KeywordEmbedder(), 0.01)
    monkeypatch.setattr(made, "_watch", lambda: None)
    made.start()
    return made


@pytest.fixture
def client(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeper, "start", lambda: None)
    with TestClient(build_app(keeper)) as client:
        yield client


def test_a_question_is_answered_as_the_architecture_describes(client: TestClient):
    found = client.post("/search", json={"text": "boat price", "language": "en", "top_k": 5}).json()
    assert (found["outcome"], found["entry"], found["entry_language"], found["query_language"]) == (
        "answered", "boats", "en", "en")
    assert 0 < found["score"] <= 1
    assert set(found["near"][0]) == {"entry", "language", "question", "score", "dense", "lexical"}
    assert found["revision"] == KnowledgeState.current()


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'{"language":"en"}', b'{"text":5}', b'{"text":"a","top_k":"x"}', b'{"text":"\\u0000"}',
    b'{"text":"?!"}', b'{"text":' + b"[" * 30_000 + b"}",
])
def test_a_bad_request_is_refused_with_what_was_expected(client: TestClient, body: bytes):
    response = client.post("/search", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_a_very_long_text_is_read_to_its_limit(client: TestClient):
    assert client.post("/search", json={"text": "boat price " * 500, "language": "en"}).status_code == 200


def test_health_tells_what_is_served(client: TestClient):
    health = client.get("/health").json()
    assert health["status"] == "ok"
    assert health["passages"] == 4
    assert health["model"] == "keywords@test"


def test_the_service_says_that_it_is_loading(tmp_path):
    empty = Keeper(tmp_path, KeywordEmbedder(), 1)
    empty.start = lambda: None
    with TestClient(build_app(empty)) as client:
        assert client.get("/health").status_code == 503
        assert client.post("/search", json={"text": "boat"}).status_code == 503


def test_what_is_published_is_found_and_only_that_is_encoded(keeper: Keeper, client: TestClient):
    keeper.embedder.encoded.clear()
    translation(entry("noodles"), "en", "noodle soup", "Eat it.")
    assert keeper.refresh()
    assert keeper.embedder.encoded == ["noodle soup", "Eat it."]
    assert client.post("/search", json={"text": "noodle soup", "language": "en"}).json()["entry"] == "noodles"


def test_what_is_withdrawn_is_found_no_more(keeper: Keeper, client: TestClient):
    row = Translation.objects.get(entry__slug="boats")
    row.live = False
    row.save()
    keeper.refresh()
    assert "boats" not in str(client.post("/search", json={"text": "boat price", "language": "en"}).json())


def test_nothing_is_built_when_nothing_has_changed(keeper: Keeper):
    served = keeper.searcher
    assert not keeper.refresh()
    assert keeper.searcher is served


def test_a_damaged_snapshot_is_refused_and_built_again(keeper: Keeper, caplog: pytest.LogCaptureFixture):
    name = (keeper.folder / "CURRENT").read_text()
    (keeper.folder / name / "vectors.npy").write_bytes(b"damaged")
    again = Keeper(keeper.folder, KeywordEmbedder(), 1)
    again._watch = lambda: None
    again.start()
    assert "vectors.npy is damaged" in caplog.text
    assert len(again.searcher.snapshot.passages) == 4


def test_a_locked_database_at_the_start_leaves_the_old_snapshot_serving(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
):
    def locked() -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(KnowledgeState, "current", locked)
    again = Keeper(keeper.folder, KeywordEmbedder(), 1)
    monkeypatch.setattr(again, "_watch", lambda: None)
    again.start()
    assert len(again.searcher.snapshot.passages) == 4
    empty = Keeper(keeper.folder / "none", KeywordEmbedder(), 1)
    with pytest.raises(OperationalError, match="locked"):
        empty.start()


def test_the_watch_notices_a_change_by_itself(keeper: Keeper):
    made = Keeper(keeper.folder, KeywordEmbedder(), 0.01)
    calls = []

    def refresh() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a fault that must not end the watch")
        if len(calls) == 3:
            made.stop()
        return False

    made.refresh = refresh
    started = time.monotonic()
    made._watch()
    assert len(calls) == 3
    assert time.monotonic() - started < 5


def test_a_draft_is_compared_and_what_is_served_stays(client: TestClient):
    draft = {"id": "boats/en/question/0", "entry": "boats", "language": "en", "kind": "question"}
    body = {
        "entry": "boats", "language": "en",
        "passages": [{**draft, "text": "pagoda open", "question": "pagoda open"}],
        "questions": [{"text": "boat price", "language": "en"}, {"text": "pagoda open", "language": "en"}],
    }
    boats, pagoda = client.post("/compare", json=body).json()["ends"]
    assert boats["now"] == {"outcome": "answered", "entry": "boats"}
    assert boats["then"]["outcome"] != "answered"
    assert pagoda["now"] == {"outcome": "answered", "entry": "hours"}
    assert client.post("/search", json={"text": "boat price", "language": "en"}).json()["entry"] == "boats"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"entry":"a","language":"en","passages":[5],"questions":[]}'])
def test_a_bad_comparison_is_refused(client: TestClient, body: bytes):
    assert client.post("/compare", content=body).status_code == 400
