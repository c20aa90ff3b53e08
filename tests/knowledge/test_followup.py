"""What a message goes on about: its words, the subjects of a small knowledge base, the choice, the service."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from knowledge.ellipsis import WORDS, elliptical, shape
from knowledge.followup import decide
from knowledge.passages import Passage
from knowledge.searcher import Decision, Hit
from knowledge.service import build_app
from knowledge.subjects import Subjects
from knowledge.tokens import tokenize
from nlu.languages import CODES

TODAY = dt.date(2026, 11, 23)
ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "followups.jsonl").read_text(encoding="utf-8").splitlines()
]
# entry, names, then per language the questions and the answer
BASE = {
    "temple-hours": ("Lotus Temple, Chùa Sen, 莲花寺", {
        "en": (["When is Lotus Temple open?", "What time does Lotus Temple close?"], "From 6:00 to 18:00."),
        "vi": (["Chùa Sen mở cửa mấy giờ?"], "Từ 6:00 đến 18:00."),
    }),
    "temple-visit": ("Lotus Temple, Chùa Sen, 莲花寺", {
        "en": (["Where is Lotus Temple?", "How do I get to Lotus Temple?"], "At 5 Hill street, 3 km from the centre."),
        "vi": (["Chùa Sen ở đâu, đi đường nào?"], "Số 5 đường Đồi, cách trung tâm 3 km."),
    }),
    "boat-pier": ("Grand Pier, Bến Lớn", {
        "en": (["Where do the boats leave from?"], "At Grand Pier. Wear the life jacket."),
        "vi": (["Lên thuyền ở đâu?"], "Ở Bến Lớn. Nhớ mặc áo phao."),
    }),
    "boat-prices": ("fare list", {
        "en": (["How much is a boat trip?"], "Ask at the counter."),
        "vi": (["Giá đi thuyền bao nhiêu tiền?"], "Xin hỏi tại quầy."),
    }),
    "noodles": ("Rice Noodles, Hủ tiếu", {
        "en": (["What are rice noodles like?"], "Thin and chewy, in a clear broth."),
        "vi": (["Hủ tiếu có gì đặc biệt?"], "Sợi nhỏ và dai."),
    }),
    "hospital": ("City Hospital, Bệnh viện, 市医院", {
        "en": (["Where is the hospital?"], "At 1 Main road. Its phone number is not confirmed."),
        "vi": (["Bệnh viện ở đâu?"], "Số 1 đường Chính. Số điện thoại chưa xác nhận."),
    }),
}


def passages() -> list[Passage]:
    found = []
    for slug, (names, languages) in BASE.items():
        for language, (questions, answer) in languages.items():
            pieces = [("question", text) for text in questions] + [("answer", answer)]
            pieces.append(("names", f"{questions[0]} ({names})"))
            found += [
                Passage(f"{slug}/{language}/{number}", slug, language, kind, text, questions[0])
                for number, (kind, text) in enumerate(pieces)
            ]
    return found


class WordSearch:
    """Finds entries by the words they share with a question: what is found can be seen by eye."""

    def __init__(self) -> None:
        self.snapshot = SimpleNamespace(passages=passages(), revision=7, model="words")
        self.asked: list[str] = []

    def search(self, question: str, language: str, today: dt.date, top_k: int = 5) -> Decision:
        self.asked.append(question)
        words = set(tokenize(question))
        best: dict[str, Hit] = {}
        for each in self.snapshot.passages:
            score = len(words & set(tokenize(each.text))) / len(words)
            if each.entry not in best or score > best[each.entry].score:
                best[each.entry] = Hit(each.entry, each.language, each.question, score, score, score)
        hits = tuple(sorted(best.values(), key=lambda hit: -hit.score)[:top_k])
        outcome = "answered" if hits[0].score >= 0.7 else "clarify" if hits[0].score >= 0.4 else "not_known"
        return Decision(outcome, hits[0].score, hits)


@pytest.fixture
def searcher() -> WordSearch:
    return WordSearch()


@pytest.fixture(scope="module")
def subjects() -> Subjects:
    return Subjects(passages(), "Mỹ Tho")


def test_every_language_has_every_kind_of_words() -> None:
    import yaml

    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    assert sorted(words) == sorted(CODES)
    assert {tuple(kinds) for kinds in words.values()} == {tuple(words["en"])}
    # YAML reads a bare "no" or "on" as a truth value.
    assert all(isinstance(word, str) for kinds in words.values() for phrases in kinds.values() for word in phrases)


@pytest.mark.parametrize(("text", "language", "aspect"), [
    ("and how much is it?", "en", "price"),
    ("còn giờ mở cửa?", "vi", "hours"),
    ("con gio mo cua", "vi", "hours"),
    ("去那里怎么走", "zh", "way"),
    ("그럼 전화번호는요?", "ko", "phone"),
    ("じゃあいくらですか？", "ja", "price"),
    ("comment y aller ?", "fr", "way"),
    ("а сколько это стоит?", "ru", "price"),
])
def test_what_names_nothing_of_its_own_is_elliptical(text: str, language: str, aspect: str) -> None:
    assert elliptical(text, language)
    assert aspect in shape(text, language).aspects


@pytest.mark.parametrize(("text", "language"), [
    ("and the snake farm?", "en"),
    ("where can I buy sunscreen?", "en"),
    ("còn bệnh viện thì ở đâu?", "vi"),
    ("mua qua o dau", "vi"),
    ("那蛇场呢？", "zh"),
    ("그럼 뱀 농장은요?", "ko"),
    ("じゃあ蛇園は？", "ja"),
    ("où est la gare ?", "fr"),
    ("а змеиная ферма?", "ru"),
    ("ok", "zz"),
    ("", "en"),
])
def test_what_names_something_is_not(text: str, language: str) -> None:
    assert not (elliptical(text, language) and shape(text, language).said)


def test_accents_count_where_they_are_typed() -> None:
    assert "price" in shape("còn vé?", "vi").aspects
    assert "price" not in shape("xe chạy về lúc nào", "vi").aspects
    assert "price" in shape("con ve?", "vi").aspects


def test_an_opener_counts_at_the_beginning_only() -> None:
    assert shape("and the price?", "en").opener
    assert not shape("the price and hours", "en").opener
    assert shape("那里多少钱", "zh").there
    assert not shape("那里多少钱", "zh").opener


@pytest.mark.parametrize("split", ["tune", "held_out"])
def test_labelled_messages_are_taken_for_what_they_are_by_their_words_alone(split: str) -> None:
    # The search decides the doubtful ones: `manage.py evaluate_followups`. The words alone must carry nearly all.
    rows = [row for row in ROWS if row["split"] == split]
    right = Counter()
    for row in rows:
        said = shape(row["text"], row["lang"][:2])
        right[row["refers"]] += (said.bare or said.there) == row["refers"]
    total = Counter(row["refers"] for row in rows)
    assert all(right[refers] / total[refers] >= 0.9 for refers in total), right


def test_the_labelled_set_covers_every_language_and_names_entries_that_exist() -> None:
    slugs = {file.stem for file in (WORDS.parent / "content").rglob("*.yml")}
    assert len(ROWS) >= 120
    assert {row["lang"] for row in ROWS} == {*CODES, "vi-plain"}
    for row in ROWS:
        assert {row["about"], *row["entries"]} <= slugs, row


def test_subjects_belong_together_by_name_or_by_their_common_noun(subjects: Subjects) -> None:
    assert subjects.same("temple-hours", "temple-visit")
    assert subjects.akin("boat-pier", "boat-prices")
    assert not subjects.same("boat-pier", "boat-prices")
    assert not subjects.akin("noodles", "boat-prices")


def test_a_subject_is_called_as_its_readers_write(subjects: Subjects) -> None:
    assert [subjects.name("temple-visit", language) for language in ("en", "vi", "zh")] == [
        "Lotus Temple", "Chùa Sen", "莲花寺"]
    assert subjects.name("temple-visit", "ru") == "Lotus Temple"


@pytest.mark.parametrize(("about", "text", "language", "expected"), [
    ("temple-hours", "and how do I get there?", "en", "temple-visit"),
    ("temple-visit", "còn giờ mở cửa?", "vi", "temple-hours"),
    ("temple-visit", "con gio mo cua", "vi", "temple-hours"),
    ("temple-hours", "去那里怎么走", "zh", "temple-visit"),
    ("boat-pier", "그럼 얼마예요?", "ko", "boat-prices"),
    ("boat-prices", "乗り場はどこですか", "ja", "boat-pier"),
    ("hospital", "et le téléphone ?", "fr", "hospital"),
    ("temple-visit", "а во сколько открывается?", "ru", "temple-hours"),
])
def test_a_follow_up_is_answered_by_an_entry_of_the_same_subject(
    searcher: WordSearch, subjects: Subjects, about: str, text: str, language: str, expected: str
) -> None:
    decision, went_on = decide(searcher, subjects, text, language, TODAY, about=about)
    assert (decision.outcome, decision.hits[0].entry, went_on) == ("answered", expected, about)


def test_what_the_subject_does_not_say_is_not_answered_with_the_same_again(
    searcher: WordSearch, subjects: Subjects
) -> None:
    decision, went_on = decide(searcher, subjects, "and how much is it?", "en", TODAY, about="noodles")
    assert (decision.outcome, went_on) == ("not_known", "noodles")
    decision, went_on = decide(searcher, subjects, "and how much is it?", "en", TODAY, about="temple-visit")
    assert (decision.outcome, went_on) == ("clarify", "temple-visit")
    assert decision.hits[0].entry == "temple-hours"
    assert "temple-visit" not in [hit.entry for hit in decision.hits]


@pytest.mark.parametrize("text", ["Where is the hospital?", "and the hospital?", "ok", "who are you", "xyzzy"])
def test_a_topic_of_its_own_is_searched_as_typed(searcher: WordSearch, subjects: Subjects, text: str) -> None:
    decision, went_on = decide(searcher, subjects, text, "en", TODAY, about="temple-hours")
    assert went_on is None
    assert searcher.asked[-1] == text
    assert decision == searcher.search(text, "en", TODAY)


def test_an_entry_that_is_gone_is_nothing_to_go_on_about(searcher: WordSearch, subjects: Subjects) -> None:
    assert decide(searcher, subjects, "how much is it?", "en", TODAY, about="withdrawn")[1] is None
    assert decide(searcher, subjects, "how much is it?", "en", TODAY)[1] is None


@pytest.fixture
def client(searcher: WordSearch):
    keeper = SimpleNamespace(
        searcher=searcher, embedder=SimpleNamespace(warm_up=lambda: None), start=lambda: None, stop=lambda: None
    )
    with TestClient(build_app(keeper)) as client:
        yield client


def test_the_service_says_what_a_message_went_on_about(client: TestClient) -> None:
    asked = {"text": "and how do I get there?", "language": "en"}
    found = client.post("/search", json={**asked, "about": "temple-hours"}).json()
    assert (found["outcome"], found["entry"], found["about"]) == ("answered", "temple-visit", "temple-hours")
    for about in ("", None, "withdrawn"):
        assert client.post("/search", json={**asked, "about": about}).json()["about"] is None
    assert client.post("/search", json=asked).json()["about"] is None
    refused = client.post("/search", json={**asked, "about": ["x"]})
    assert (refused.status_code, "about" in refused.json()["error"]["message"]) == (400, True)


def test_the_service_reads_the_subjects_of_a_new_snapshot(client: TestClient, searcher: WordSearch) -> None:
    asked = {"text": "and how do I get there?", "language": "en", "about": "temple-hours"}
    assert client.post("/search", json=asked).json()["about"] == "temple-hours"
    searcher.snapshot = SimpleNamespace(
        passages=[each for each in passages() if not each.entry.startswith("temple")], revision=8, model="words"
    )
    assert client.post("/search", json=asked).json()["about"] is None
