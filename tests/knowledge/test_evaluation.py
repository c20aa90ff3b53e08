from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from knowledge.evaluation import Question, QuestionError, ranking, read_questions
from knowledge.models import Category
from knowledge.searcher import Hit
from nlu.languages import CODES

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "questions"
CONTENT = Path(__file__).resolve().parents[2] / "knowledge" / "content"


def hits(*entries: str) -> list[Hit]:
    return [Hit(entry, "en", "", 1.0, 1.0, 1.0) for entry in entries]


def test_recall_and_reciprocal_rank_are_counted_over_answerable_questions():
    asked = [
        (hits("a", "b"), Question("1", "en", "", ("a",))), (hits("a", "b"), Question("2", "en", "", ("b",))),
        (hits("a"), Question("3", "en", "", ("z",))), (hits("a"), Question("4", "en", "", ())),
    ]
    found = ranking(asked)
    assert found == {"n": 3, "recall@1": 0.3333, "recall@5": 0.6667, "mrr@10": 0.5}


@pytest.mark.parametrize(("line", "message"), [
    ("{", ":2: not a JSON object"), ('{"id": "q1"}', ":2: lang, text, relevant missing"), ("[1]", ":2:"),
    ('{"id": "q0", "lang": "en", "text": "b", "relevant": []}', "id 'q0' stands in line 1 already"),
])
def test_bad_lines_are_named_with_file_and_line(tmp_path: Path, line: str, message: str):
    file = tmp_path / "queries.jsonl"
    file.write_text('{"id": "q0", "lang": "en", "text": "a", "relevant": []}\n' + line, encoding="utf-8")
    with pytest.raises(QuestionError) as problem:
        read_questions([file])
    assert message in str(problem.value)


def test_any_corpus_can_be_evaluated_with_the_products_own_search(tmp_path: Path, model_folder: Path):
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    texts = {"p1": "The pagoda was built in 1849.", "p2": "Boats leave from the pier.", "p3": "Noodles of Gò Cát rice."}
    corpus.write_text("\n".join(json.dumps({"id": i, "lang": "en", "text": t}) for i, t in texts.items()))
    queries.write_text(json.dumps({"id": "q", "lang": "en", "text": "where do boats leave?", "relevant": ["p2"]}))
    out = StringIO()
    call_command("evaluate", str(corpus), str(queries), "--json", stdout=out)
    result = json.loads(out.getvalue())
    assert result["overall"]["recall@1"] == 1.0
    assert set(result["overall"]) == {
        "n", "recall@1", "recall@5", "mrr@10", "precision", "coverage", "declined", "p50_ms", "p95_ms"}
    assert result["by_pair"] == {"en->en": {"n": 1, "recall@1": 1.0, "recall@5": 1.0, "mrr@10": 1.0}}
    assert result["dense_only"]["n"] == result["lexical_only"]["n"] == 1


def test_the_command_says_what_it_needs():
    with pytest.raises(CommandError, match="Give CORPUS.jsonl and QUERIES.jsonl, or --knowledge"):
        call_command("evaluate")


def test_our_labelled_questions_are_in_form_and_cover_languages_and_topics():
    questions = read_questions(sorted(QUESTIONS.glob("*.jsonl")))
    slugs = {file.stem: file.parent.name for file in CONTENT.glob("*/*.yml")}
    assert {each.lang for each in questions} == set(CODES)
    assert {slugs[slug] for each in questions for slug in each.relevant} == set(Category.values)
    for code in CODES:
        ours = [each for each in questions if each.lang == code]
        assert sum(bool(each.relevant) for each in ours) >= 25
        assert sum(not each.relevant for each in ours) >= 12
        assert {each.split for each in ours} == {"tune", "test"}
