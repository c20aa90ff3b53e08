from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from knowledge.embedder import SentenceTransformerEmbedder
from tests.knowledge.builders import entry, translation

TEXTS = (
    {"id": "p1", "lang": "en", "text": "The pagoda was built in 1849."},
    {"id": "p2", "lang": "en", "title": "River", "text": "Boats leave from the pier."},
    {"id": "p3", "lang": "vi", "text": "Hủ tiếu làm từ gạo Gò Cát."},
    {"id": "p4", "lang": "th", "text": "ตลาดเปิดทุกวันตั้งแต่เช้า"},
)
QUERIES = (
    {"id": "fresh-1", "lang": "en", "text": "where do boats leave?", "relevant": ["p2"]},
    {"id": "fresh-2", "lang": "ko", "text": "사원은 언제 지어졌나요?", "relevant": ["p1"]},
    {"id": "old-1", "lang": "vi", "text": "ตลาด", "relevant": ["p4"]},
    {"id": "old-2", "lang": "vi", "text": "lãi suất ngân hàng", "relevant": []},
)


def write(file: Path, rows: tuple[dict[str, Any], ...]) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write(tmp_path / "corpus.jsonl", TEXTS)


@pytest.fixture
def queries(tmp_path: Path) -> str:
    return write(tmp_path / "queries.jsonl", QUERIES)


@pytest.fixture
def loaded(embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command use the model that the other tests have loaded already."""
    monkeypatch.setattr("knowledge.management.commands.evaluate.SentenceTransformerEmbedder", lambda _: embedder)


def evaluate(*arguments: str) -> str:
    out = StringIO()
    call_command("evaluate", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("model_folder")
def test_any_corpus_is_evaluated_with_the_products_own_search(corpus: str, queries: str, capfd: pytest.CaptureFixture):
    result = json.loads(evaluate(corpus, queries, "--json"))
    assert list(result) == ["overall", "by_language", "by_pair", "dense_only", "lexical_only"]
    assert set(result["overall"]) == {
        "n", "answerable", "recall@1", "recall@5", "mrr@10", "precision", "coverage", "declined", "p50_ms", "p95_ms"}
    assert (result["overall"]["n"], result["overall"]["answerable"]) == (4, 3)
    assert result["overall"]["recall@5"] == 1.0
    assert {name: row["n"] for name, row in result["by_pair"].items()} == {"en->en": 1, "ko->en": 1, "vi->th": 1}
    assert {name: row["n"] for name, row in result["by_language"].items()} == {"en": 1, "ko": 1, "vi": 2}
    assert result["dense_only"]["n"] == result["lexical_only"]["n"] == 4
    assert result["lexical_only"]["by_pair"]["en->en"]["recall@1"] == 1.0
    assert 0 < result["overall"]["p50_ms"] <= result["overall"]["p95_ms"]
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("loaded")
def test_the_table_cuts_nothing_at_eighty_columns(corpus: str, queries: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = evaluate(corpus, queries).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert "precision coverage declined" in lines[1]
    names = [line[:12].rstrip() for line in lines[3:-1]]
    assert names == ["overall", "en", "ko", "vi", "en->en", "ko->en", "vi->th", "dense only", "lexical only"]
    assert lines[-1].startswith("4 questions, 3 with an answer")


@pytest.mark.usefixtures("loaded")
def test_a_prefix_of_ids_chooses_questions(corpus: str, queries: str):
    assert json.loads(evaluate(corpus, queries, "--json", "--ids", "fresh-"))["overall"]["n"] == 2
    with pytest.raises(CommandError, match="None of 4 questions has an id that begins with 'new-'"):
        evaluate(corpus, queries, "--ids", "new-")


@pytest.mark.usefixtures("loaded")
def test_what_went_wrong_can_be_listed_in_both_forms(tmp_path: Path, corpus: str):
    queries = write(tmp_path / "wrong.jsonl", ({"id": "q", "lang": "en", "text": "boats leave", "relevant": ["p1"]},))
    (failure,) = json.loads(evaluate(corpus, queries, "--json", "--failures"))["failures"]
    assert (failure["id"], failure["found"], failure["wanted"]) == ("q", "p2", ["p1"])
    assert "'boats leave' → p2 (wanted p1)" in evaluate(corpus, queries, "--failures")


@pytest.mark.usefixtures("loaded")
def test_a_terminal_sees_how_far_encoding_is(
    corpus: str, queries: str, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORCE_COLOR", "1")  # what rich takes for a terminal
    evaluate(corpus, queries, "--json")
    shown = capfd.readouterr()
    assert "encoding" in shown.err
    assert "asking" in shown.err


def test_nothing_is_loaded_or_built_before_both_files_are_right(tmp_path: Path, settings: Any):
    settings.MODEL = str(tmp_path / "no-model")
    corpus = write(tmp_path / "corpus.jsonl", (*TEXTS, {"id": "p1", "lang": "en", "text": "again"}))
    queries = write(tmp_path / "queries.jsonl", ({"id": "q", "lang": "klingon", "text": "x", "relevant": []},))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CommandError) as problem:
        evaluate(corpus, queries)
    assert str(problem.value).splitlines() == [
        f"{corpus}:5: id 'p1' stands in {corpus}:1 already",
        f"{queries}:1: lang 'klingon' is no language; give a code such as vi, en, th",
    ]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("arguments", [(), ("corpus.jsonl",), ("a", "b", "c")])
def test_the_command_says_what_it_needs(arguments: tuple[str, ...]):
    with pytest.raises(CommandError, match=r"Give CORPUS.jsonl and QUERIES.jsonl, or --knowledge"):
        call_command("evaluate", *arguments)


@pytest.mark.usefixtures("loaded")
def test_questions_of_several_corpora_count_by_what_is_in_this_one(tmp_path: Path, corpus: str):
    asked = {"id": "q", "lang": "vi", "text": "chùa xây năm nào", "relevant": ["vi-p1", "p1"]}
    queries, err = write(tmp_path / "queries.jsonl", (asked,)), StringIO()
    out = StringIO()
    call_command("evaluate", corpus, queries, "--json", stdout=out, stderr=err)
    assert list(json.loads(out.getvalue())["by_pair"]) == ["vi->en"]
    assert f"Questions that name texts not in {corpus} beside ones that are: 1 (first: {queries}:1)" in err.getvalue()


@pytest.fixture
def no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the first city declines: encoding it takes longer than all of these tests."""
    monkeypatch.setattr("knowledge.declined.read", dict)


@pytest.mark.django_db
@pytest.mark.usefixtures("loaded", "no_list")
def test_the_live_knowledge_base_is_evaluated_as_it_would_be_shown(tmp_path: Path, settings: Any):
    settings.INDEX_DIR = tmp_path / "index"
    for slug, languages in (("ferry", ("vi",)), ("market", ("vi", "en", "ko"))):
        made = entry(slug)
        for language in languages:
            translation(made, language, f"{slug} {language}")
    rows = [
        {"id": "1", "lang": "ko", "text": "ferry", "relevant": ["ferry"]},
        {"id": "2", "lang": "ko", "text": "market", "relevant": ["market"]},
        {"id": "3", "lang": "fr", "text": "market", "relevant": ["market", "gone"]},
        {"id": "4", "lang": "fr", "text": "museum", "relevant": ["gone"]},
    ]
    out, err = StringIO(), StringIO()
    queries = write(tmp_path / "queries.jsonl", tuple(rows))
    call_command("evaluate", queries, "--knowledge", "--json", stdout=out, stderr=err)
    assert set(json.loads(out.getvalue())["by_pair"]) == {"ko->vi", "ko->ko", "fr->en"}
    assert "Questions left out, for what answers them is not published now: 1 (gone)." in err.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("loaded", "no_list")
def test_an_empty_knowledge_base_is_said_to_be_empty(tmp_path: Path, settings: Any):
    settings.INDEX_DIR = tmp_path / "index"
    queries = write(tmp_path / "queries.jsonl", ({"id": "1", "lang": "ko", "text": "ferry", "relevant": ["ferry"]},))
    with pytest.raises(CommandError, match="is published"):
        call_command("evaluate", queries, "--knowledge", stderr=StringIO())
