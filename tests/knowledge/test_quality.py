"""What is to be looked at in content, and that ours has nothing that must not go out."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from django.core.management import CommandError, call_command

from knowledge.errors import KnowledgeError
from knowledge.keeper import geometry_of
from knowledge.quality.findings import RULES
from knowledge.quality.pairs import contradictions, near_duplicates
from knowledge.quality.research import read_research, weak_facts
from knowledge.quality.rules import check_entry, compare
from knowledge.quality.vectors import duplicates_among

CONTENT = Path(__file__).parents[2] / "knowledge" / "content"
TODAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def pagoda() -> dict[str, Any]:
    return yaml.safe_load((CONTENT / "tourism" / "vinh-trang-visit.yml").read_text(encoding="utf-8"))


def found(data: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    changed = copy.deepcopy(data)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = changed
        for each in parents:
            place = place[each]
        place[last] = value
    return [(each.rule, each.language) for each in check_entry(changed, TODAY)]


def test_a_good_entry_has_nothing_to_look_at(pagoda) -> None:
    assert found(pagoda) == []


@pytest.mark.parametrize(
    ("changes", "rule", "language"),
    [
        ({"verified_on": dt.date(2026, 11, 24)}, "dates", ""),
        ({"review_by": dt.date(2026, 11, 1)}, "dates", ""),
        ({"verified_on": dt.date(2026, 6, 1), "review_by": dt.date(2026, 12, 1)}, "due", ""),
        ({"valid_from": dt.date(2026, 5, 2), "valid_until": dt.date(2026, 5, 1)}, "dates", ""),
        ({"valid_until": dt.date(2026, 11, 22)}, "expired", ""),
        ({"event_start": dt.date(2026, 5, 1)}, "event_over", ""),
        ({"web": "https//example.org"}, "link", ""),
        ({"phone": "0277 3898989"}, "phone", ""),
        ({"phone": "+84 12"}, "phone", ""),
        ({"translations__en__other_questions": ["One?", "one?"]}, "questions", "en"),
        ({"translations__en__answer": "A" * 601}, "length", "en"),
        ({"translations__en__answer": "It has 177 columns; since 1984, 3 km."}, "numbers", "en"),
        ({"translations__en__answer": "178 columns since 1984. Call +84 277 3898 989."}, "phones", "en"),
    ],
)
def test_what_is_wrong_is_found(pagoda, changes, rule, language) -> None:
    assert (rule, language) in found(pagoda, **changes)


@pytest.mark.parametrize("phone", ["113", "1022", "+84 277 3898 989", None])
def test_phones_of_the_right_form_pass(pagoda, phone) -> None:
    assert found(pagoda, phone=phone) == []


def test_a_missing_language_counts_where_visitors_read(pagoda) -> None:
    without = copy.deepcopy(pagoda)
    del without["translations"]["ja"]
    assert [each.detail for each in check_entry(without, TODAY)] == ["ja"]
    assert check_entry({**without, "category": "city"}, TODAY) == []
    assert check_entry({**without, "sensitivity": "internal"}, TODAY) == []


def test_an_old_source_is_named(pagoda) -> None:
    old = {**pagoda, "sources": [{**pagoda["sources"][0], "seen_on": dt.date(2025, 11, 1)}]}
    assert [each.rule for each in check_entry(old, TODAY)] == ["old_source"]


def test_the_difference_says_what_is_missing_and_what_is_more() -> None:
    (rule, detail), = compare("Vé 20.000 đồng", "vi", "A ticket is 25,000 đồng", "en")
    assert rule == "numbers"
    assert detail == "thiếu / missing 20000; thêm / more 25000"


def test_a_reworded_copy_is_a_near_duplicate_and_neighbours_are_not(embedder) -> None:
    def entry(slug: str, question: str, answer: str) -> dict[str, Any]:
        return {"slug": slug, "translations": {"en": {"question": question, "answer": answer}}}

    entries = [
        entry("pier", "Where do the boats to the islets leave?",
              "Boats to the islets leave from the tourist pier, 8 30/4 street, by the river; tickets are sold there."),
        entry("pier-again", "From where do boats go to the islets?",
              "The islet boats go from the tourist pier at 8 30/4 street on the river; buy your tickets there."),
        entry("price", "How much is a boat to the islets?",
              "A private boat to the islets cost about 450,000 đồng in 2020; agree on the price before you board."),
        entry("noodles", "What is hủ tiếu?", "A noodle soup of pork and shrimp, eaten in the morning."),
    ]  # fmt: skip
    pairs = [(each.slug, each.detail.split()[0]) for each in duplicates_among(entries, embedder, geometry_of(embedder))]
    assert pairs == [("pier", "pier-again")]


def test_near_duplicates_need_both_the_question_and_the_answer() -> None:
    one, other = np.eye(2, dtype=np.float32)
    same = np.stack([one, one])
    assert len(near_duplicates(["a", "b"], "en", same, same)) == 1
    assert near_duplicates(["a", "b"], "en", same, np.stack([one, other])) == []
    assert near_duplicates(["a", "b"], "en", np.stack([one, other]), same) == []


def at(slug: str, answer: str, place: str = "Chùa Vĩnh Tràng") -> dict[str, Any]:
    return {"slug": slug, "place": {"name": place}, "translations": {"vi": {"answer": answer}}}


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("Mở cửa 06:00–18:00.", "Mở cửa từ 7 giờ đến 17 giờ 30.", "giờ / hours"),
        ("Giá vé 20.000 đồng.", "Vé vào cửa: 30.000 đồng", "giá / price"),
        ("Mở cửa 06:00–18:00.", "Mở cửa từ 6 giờ đến 18 giờ.", None),
        ("Giá vé 20.000 đồng.", "Chùa xây năm 1849.", None),
        ("Giá vé 20.000 đồng.", "Giá vé 20.000 đồng, trẻ em 10.000 đồng.", None),
    ],
)
def test_two_minds_about_one_place(one, other, what) -> None:
    found = contradictions([at("a", one), at("b", other)])
    assert [each.detail.split(": ")[1].startswith(what) for each in found] == ([True] if what else [])
    assert contradictions([at("a", one), at("b", other, "Nơi khác")]) == []


def test_a_weak_fact_is_told_as_open_or_not_at_all(tmp_path) -> None:
    file = tmp_path / "research.csv"
    file.write_text(
        "key,confidence,doubt,source,source_date\na.sure,high,conflict,,\na.weak,low,,,\na.split,medium,conflict,,\n",
        encoding="utf-8",
    )
    research = read_research(file)

    def rules(answer: str, *facts: str) -> list[str]:
        entry = {"slug": "a", "facts": facts, "translations": {"vi": {"answer": answer}}}
        return [each.rule for each in weak_facts([entry], research)]

    assert rules("Vé 20.000 đồng.", "a.sure") == []
    assert rules("Vé 20.000 đồng.", "a.weak") == ["weak_fact"]
    assert rules("Vé 20.000 đồng.", "a.split") == ["disputed_fact"]
    assert rules("Vé 20.000 đồng.", "a.unknown") == ["weak_fact"]
    assert rules("Giá vé chưa được xác nhận.", "a.weak", "a.split") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [("key,confidence\n", 1), ("key,confidence,doubt,source,source_date\na,sure,,,\n", 2),
     ("key,confidence,doubt,source,source_date\na,low,,,\na,low,,,\n", 3)],
)  # fmt: skip
def test_a_register_out_of_form_is_refused_with_its_line(tmp_path, text, line) -> None:
    file = tmp_path / "research.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=rf"research\.csv:{line}: "):
        read_research(file)
    with pytest.raises(KnowledgeError, match="cannot be read"):
        read_research(tmp_path / "none.csv")


def test_our_own_content_passes(model_folder, settings, capsys) -> None:
    settings.MODEL = str(model_folder)
    call_command("check_content", "--today", "2026-11-23")
    assert "no error" in capsys.readouterr().out


def test_the_command_fails_and_names_the_entry(tmp_path, pagoda, capsys) -> None:
    for number, (rule, _) in enumerate((("numbers", ""), ("link", ""))):
        folder = tmp_path / str(number)
        (folder / "tourism").mkdir(parents=True)
        (folder / "departments.yml").write_text((CONTENT / "departments.yml").read_text(encoding="utf-8"), "utf-8")
        changed = copy.deepcopy(pagoda)
        if rule == "numbers":
            changed["translations"]["fr"]["answer"] = "Elle a 177 colonnes.\n"
        else:
            changed["web"] = "https://"
        file = folder / "tourism" / "vinh-trang-visit.yml"
        file.write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
        with pytest.raises(CommandError, match=r"1 entries: 1 error"):
            call_command("check_content", folder, "--quick", "--today", "2026-11-23")
        assert f"ERROR  vinh-trang-visit{'/fr' if rule == 'numbers' else ''}: {rule}: " in capsys.readouterr().out


def test_every_rule_has_its_name_in_two_languages() -> None:
    assert all(" / " in each.title for each in RULES.values())
