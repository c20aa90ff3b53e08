from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.evaluation import Asked, pair_of, ranking, report, still_answered, times
from knowledge.labelled import (
    LONGEST_TEXT,
    PROBLEMS_SHOWN,
    Question,
    QuestionError,
    language_of,
    read_evaluation,
    read_lines,
    read_questions,
)
from knowledge.models import Category
from knowledge.searcher import Decision, Hit
from nlu.languages import CODES
from nlu.text import MAX_LENGTH

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "questions"
CONTENT = Path(__file__).resolve().parents[2] / "knowledge" / "content"
FIRST = '{"id": "q0", "lang": "en", "text": "a", "relevant": []}\n'


def asked(name: str, found: list[str], relevant: list[str], outcome: str = "answered", pair: str = "en->en") -> Asked:
    hits = [Hit(each, "fr", "", 1.0, 1.0, 1.0) for each in found]
    question = Question(name, pair[:2], "?", tuple(relevant))
    return Asked(question, pair if relevant else None, Decision(outcome, 0.9, tuple(hits)), hits[:1], hits[1:], 2.0)


# --- figures ---


def test_recall_and_reciprocal_rank_are_counted_over_answerable_questions():
    found = ranking([
        (["a", "b"], Question("1", "en", "", ("a",))), (["a", "b"], Question("2", "en", "", ("b",))),
        (["a"], Question("3", "en", "", ("z",))), (["a"], Question("4", "en", "", ())),
    ])
    assert found == {"n": 4, "answerable": 3, "recall@1": 0.3333, "recall@5": 0.6667, "mrr@10": 0.5}


def test_what_comes_after_the_tenth_counts_for_nothing():
    names = [str(number) for number in range(11)]
    assert ranking([(names, Question("1", "en", "", ("9",)))])["mrr@10"] == 0.1
    assert ranking([(names, Question("1", "en", "", ("10",)))])["mrr@10"] == 0.0


def test_a_share_of_nothing_is_not_measured():
    assert ranking([(["a"], Question("1", "en", "", ()))])["recall@1"] is None
    overall = report([asked("1", ["a"], ["a"], "clarify")])["overall"]
    assert (overall["precision"], overall["coverage"], overall["declined"]) == (None, 0.0, None)


def test_the_report_tells_decisions_apart_by_language_and_pair():
    made = report([
        asked("1", ["a"], ["a"]), asked("2", ["b"], ["a"]), asked("3", ["a"], ["a"], "clarify"),
        asked("4", ["a"], []), asked("5", ["a"], [], "not_known"), asked("6", ["x", "a"], ["a"], pair="ko->vi"),
    ])
    assert made["overall"] == {
        "n": 6, "answerable": 4, "recall@1": 0.5, "recall@5": 0.75, "mrr@10": 0.625,
        "precision": 0.25, "coverage": 0.25, "declined": 0.5, "p50_ms": 2.0, "p95_ms": 2.0,
    }
    assert {name: row["n"] for name, row in made["by_language"].items()} == {"en": 5, "ko": 1}
    assert {name: row["n"] for name, row in made["by_pair"].items()} == {"en->en": 3, "ko->vi": 1}
    assert made["by_pair"]["ko->vi"]["precision"] == 0.0
    assert made["dense_only"]["by_pair"]["ko->vi"]["recall@1"] == 0.0
    assert made["lexical_only"]["by_pair"]["ko->vi"]["recall@1"] == 1.0


def test_percentiles_are_of_times_that_were_measured():
    assert times([5.0, 1.0]) == {"p50_ms": 3.0, "p95_ms": 5.0}
    assert times(range(1, 101)) == {"p50_ms": 50.5, "p95_ms": 95}
    assert times([]) == {"p50_ms": None, "p95_ms": None}


@pytest.mark.parametrize(("lang", "relevant", "pair"), [
    ("vi", ("both",), "vi->vi"), ("ko", ("both",), "ko->en"), ("ko", ("old",), "ko->vi"), ("th", ("old",), "th->vi"),
    ("th", ("thai", "both"), "th->th"), ("en", ("thai",), "en->th"), ("en", (), None), ("en", ("unknown",), None),
])
def test_a_pair_is_the_askers_language_and_that_of_the_text_to_be_shown(lang: str, relevant: tuple, pair: str | None):
    languages = {"both": {"vi", "en", "fr"}, "old": {"vi"}, "thai": {"th"}}
    assert pair_of(Question("q", lang, "?", relevant), languages) == pair


def test_a_pair_does_not_depend_on_what_was_found():
    # Every hit of `asked` is French, right or wrong.
    assert set(report([asked("1", ["a"], ["a"]), asked("2", [], ["a"], "not_known")])["by_pair"]) == {"en->en"}


def test_questions_on_what_is_not_published_are_left_out():
    rows = [Question("1", "en", "", ("a", "gone")), Question("2", "en", "", ("gone",)), Question("3", "en", "", ())]
    assert [(each.id, each.relevant) for each in still_answered(rows, {"a": {"en"}})] == [("1", ("a",)), ("3", ())]


# --- files ---


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def query(**fields: Any) -> str:
    return json.dumps({"id": "q1", "lang": "en", "text": "b", "relevant": []} | fields)


@pytest.mark.parametrize(("line", "message"), [
    ("{", ":2: not a JSON object (Expecting property name enclosed in double quotes, at character 2); one object a"),
    ('{"id": ' + "1" * 5000 + "}", ":2: not a JSON object (Exceeds"),
    ("[1]", ":2: not a JSON object"),
    ("{}", ":2: not a JSON object with fields"),
    ("[" * 100_000, ":2: not a JSON object that can be read (nested too deep)"),
    ('{"id": "q1"}', ":2: lang, text, relevant missing"),
    (query(id="q0"), ":2: id 'q0' stands in {file}:1 already"),
    (query(id=""), ":2: id '' is neither a text nor a whole number"),
    (query(id=True), ":2: id True is neither"),
    (query(id=[]), ":2: id [] is neither"),
    (query(text=5), ":2: text 5 is not a text"),
    (query(text=None), ":2: text None is not a text"),
    (query(title=["x"]), ":2: title ['x'] is not a text"),
    (query(relevant="a"), ":2: relevant 'a' is not a list of ids"),
    (query(relevant=[None]), ":2: relevant [None] is not a list of ids"),
    (query(relevant={"a": 1}), ":2: relevant {'a': 1} is not a list of ids"),
    (query(lang="xx"), ":2: lang 'xx' is no language"),
    (query(lang="english"), ":2: lang 'english' is no language"),
    (query(lang="und"), ":2: lang 'und' is no language"),
    (query(lang=["en"]), ":2: lang ['en'] is no language"),
    (query(text="?! …"), ":2: text of 'q1' holds no letter or digit"),
    (query(text=""), ":2: text of 'q1' holds no letter or digit"),
    (query(text="a\0b"), ":2: text holds a NUL character"),
    (query(id="a\0b"), ":2: id holds a NUL character"),
    (query(text="\ud800"), ":2: text holds half a character"),
    (query(text="x" * 102_400), f":2: text of 'q1' has 102,400 characters, {MAX_LENGTH:,} at most"),
    (b'{"id": "\xff"}', ":2: not UTF-8 (byte 9 of the line)"),
    (b"\0\0", ":2: not a JSON object"),
])
def test_bad_lines_are_named_with_file_and_line(tmp_path: Path, line: str | bytes, message: str):
    content = FIRST.encode() + (line if isinstance(line, bytes) else line.encode())
    file = write(tmp_path, "queries.jsonl", content)
    with pytest.raises(QuestionError) as problem:
        read_questions([file])
    assert f"{file}{message.format(file=file) if '{file}' in message else message}" in str(problem.value)


def test_everything_that_is_wrong_with_a_line_is_told(tmp_path: Path):
    file = write(tmp_path, "queries.jsonl", FIRST + query(id="q0", lang="xx", text=5, relevant="a"))
    with pytest.raises(QuestionError) as problem:
        read_questions([file])
    assert len(problem.value.problems) == 4


def test_many_problems_are_counted_rather_than_listed(tmp_path: Path):
    with pytest.raises(QuestionError) as problem:
        read_questions([write(tmp_path, "queries.jsonl", "x\n" * 1000)])
    lines = str(problem.value).splitlines()
    assert len(lines) == PROBLEMS_SHOWN + 1
    assert lines[-1] == f"… and {1000 - PROBLEMS_SHOWN} problems more"


def test_ids_differ_between_the_files_of_one_set(tmp_path: Path):
    first, second = write(tmp_path, "a.jsonl", FIRST), write(tmp_path, "b.jsonl", "\n" + FIRST)
    with pytest.raises(QuestionError, match="id 'q0' stands in") as problem:
        read_questions([first, second])
    assert str(problem.value) == f"{second}:2: id 'q0' stands in {first}:1 already"


@pytest.mark.parametrize(("content", "message"), [("", "is empty"), (" \n\n", "is empty"), ("\ufeff", "is empty")])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, content: str, message: str):
    with pytest.raises(QuestionError, match=message):
        read_questions([write(tmp_path, "queries.jsonl", content)])


@pytest.mark.parametrize("name", ["missing.jsonl", ".", "a\0b"])
def test_what_is_no_file_is_named(tmp_path: Path, name: str):
    with pytest.raises(QuestionError, match="cannot be read"):
        read_questions([tmp_path / name])


def test_what_editors_on_windows_write_is_read(tmp_path: Path):
    file = write(tmp_path, "queries.jsonl", "\ufeff" + FIRST.replace("\n", "\r\n") + "\r\n" + query())
    assert [each.id for each in read_questions([file])] == ["q0", "q1"]


def test_separators_inside_a_text_do_not_end_a_line(tmp_path: Path):
    line = '{"id": "q1", "lang": "en", "text": "one\u2028two\x85three", "relevant": []}\n'
    assert [number for number, _ in read_lines(write(tmp_path, "q.jsonl", line + FIRST), ("id",))] == [1, 2]


def test_ids_may_be_numbers_and_languages_tags(tmp_path: Path):
    file = write(tmp_path, "queries.jsonl", query(id=7, lang="zh-Hant", relevant=[1, "1", 2], text="/a\u200bb"))
    assert read_questions([file]) == [Question("7", "zh", "ab", ("1", "2"))]
    assert [language_of(each) for each in ("th", "pt_BR", "vie", "VI")] == ["th", "pt", "vi", "vi"]
    assert [language_of(each) for each in ("", "e", 5, None)] == [None] * 4


def test_problems_of_corpus_and_queries_are_told_together(tmp_path: Path):
    rows = [{"id": "a", "lang": "en", "text": "x"}, {"id": "b", "lang": "qq", "text": "x"}]
    corpus = write(tmp_path, "corpus.jsonl", "\n".join(map(json.dumps, rows)))
    queries = write(tmp_path, "queries.jsonl", query(relevant=["b"]) + "\n" + query(id="q2", relevant=["nowhere"]))
    with pytest.raises(QuestionError) as problem:
        read_evaluation(corpus, queries)
    assert problem.value.problems == (
        f"{corpus}:2: lang 'qq' is no language; give a code such as vi, en, th",
        f"{queries}:2: relevant 'nowhere' not in {corpus} ([]: nothing answers it)",
    )


def test_what_could_not_be_read_is_not_said_to_be_missing(tmp_path: Path):
    queries = write(tmp_path, "queries.jsonl", query(relevant=["b"]))
    for content in ("", "{", '{"lang": "en"}'):
        with pytest.raises(QuestionError) as problem:
            read_evaluation(write(tmp_path, "corpus.jsonl", content), queries)
        assert len(problem.value.problems) == 1


def test_questions_may_name_texts_of_another_corpus_beside_this_ones(tmp_path: Path):
    corpus = write(tmp_path, "corpus.jsonl", '{"id": "vi-1", "lang": "vi", "title": "Sông", "text": "một"}')
    queries = write(tmp_path, "queries.jsonl", query(relevant=["vi-1", "en-1"]))
    texts, questions, absent = read_evaluation(corpus, queries)
    assert (texts[0].text, questions[0].relevant, absent) == ("Sông một", ("vi-1",), [1])


def test_a_text_longer_than_a_model_could_read_is_refused_and_one_shorter_is_kept_whole(tmp_path: Path):
    long, queries = "é " * (LONGEST_TEXT // 2), write(tmp_path, "queries.jsonl", query(relevant=["a"]))
    corpus = write(tmp_path, "corpus.jsonl", json.dumps({"id": "a", "lang": "fr", "text": long}))
    assert read_evaluation(corpus, queries)[0][0].text == long.strip()
    write(tmp_path, "corpus.jsonl", json.dumps({"id": "a", "lang": "fr", "title": "t", "text": long}))
    with pytest.raises(QuestionError, match=r"corpus\.jsonl:1: text of 'a' has 20,001 characters, 20,000 at most"):
        read_evaluation(corpus, queries)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
    | st.sampled_from(["q0", "en", "vi", "xx"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=5,
)
ROWS = st.dictionaries(st.sampled_from(["id", "lang", "text", "title", "relevant", "split"]), ANYTHING)
LINES = ROWS.map(lambda row: json.dumps(row).encode()) | ANYTHING.map(lambda value: json.dumps(value).encode())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.lists(LINES | st.just(FIRST.encode().strip()), max_size=3).map(b"\n".join))
def test_no_content_whatever_breaks_the_reading(content: bytes):
    with TemporaryDirectory() as folder:
        file = write(Path(folder), "file.jsonl", content)
        try:
            rows, questions = read_lines(file, ("id", "lang", "text")), read_questions([file])
        except QuestionError as problem:
            message = str(problem)
            message.encode()  # can be printed
            assert message.startswith(str(file))  # noqa: PT017 - good content raises nothing
        else:
            assert len(rows) == len(questions) > 0
            for each in questions:
                assert each.text
                assert language_of(each.lang) == each.lang
                assert isinstance(each.id, str)
                assert all(isinstance(name, str) for name in each.relevant)


@given(st.text(max_size=12))
def test_no_tag_whatever_breaks_the_language(tag: str):
    assert language_of(tag) is None or language_of(tag).isascii()


def test_our_labelled_questions_are_in_form_and_cover_languages_and_topics():
    questions = read_questions(sorted(QUESTIONS.glob("*.jsonl")))
    slugs = {file.stem: file.parent.name for file in CONTENT.glob("*/*.yml")}
    assert {each.lang for each in questions} == set(CODES)
    assert {slugs[slug] for each in questions for slug in each.relevant} == set(Category.values)
    for code in CODES:
        ours = [each for each in questions if each.lang == code]
        assert sum(bool(each.relevant) for each in ours) >= 25
        assert sum(not each.relevant for each in ours) >= 12
        assert {each.split for each in ours} == {"train", "tune", "test"}
