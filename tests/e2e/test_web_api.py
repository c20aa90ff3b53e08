"""The JSON API over the running processes: seven languages, what bad input gets, later messages."""

from __future__ import annotations

import json
import re
import threading

import httpx
import pytest

from tests.e2e.people import WebPerson
from tests.e2e.stack import Stack, eventually

pytestmark = pytest.mark.e2e
WITHDRAW = """
import django; django.setup()
from knowledge.models import Translation
Translation.objects.get(entry__slug={slug!r}, language={language!r}).unpublish()
"""
OPENING_HOURS = {
    "vi": "Chùa Vĩnh Tràng mở cửa lúc mấy giờ?",
    "en": "When is Vĩnh Tràng Pagoda open?",
    "zh": "永长寺几点开门？",
    "ko": "빈짱 사원은 몇 시에 열어요?",
    "ja": "ヴィンチャン寺は何時に開きますか？",
    "fr": "À quelle heure ouvre la pagode Vĩnh Tràng ?",
    "ru": "Во сколько открывается пагода Винь Транг?",
}


@pytest.mark.parametrize("language", OPENING_HOURS)
def test_a_question_is_answered_in_its_language_with_source_and_date(web: WebPerson, language: str) -> None:
    body = web.send(text=OPENING_HOURS[language])
    assert (body["outcome"], body["language"], body["form"], body["ticket"]) == (
        "answered",
        language,
        None,
        None,
    )
    [reply] = body["replies"]
    assert (reply["entry"], reply["language"], reply["fallback"]) == (
        "vinh-trang-opening-hours",
        language,
        False,
    )
    assert reply["source"]["url"].startswith("https://csdl.vietnamtourism.gov.vn")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", reply["verified_on"])
    assert reply["place"]["name"] == "Chùa Vĩnh Tràng"


@pytest.mark.parametrize("text", ["chua vinh trang mo cua may gio", "Chua Vinh Trang mo cua luc may gio?"])
def test_vietnamese_without_diacritics_is_understood(web: WebPerson, text: str) -> None:
    body = web.send(text=text)
    assert (body["outcome"], body["language"]) == ("answered", "vi")
    assert body["replies"][0]["entry"] == "vinh-trang-opening-hours"


def test_an_answer_that_exists_in_two_languages_only_says_that_it_is_a_fallback(
    stack: Stack, web: WebPerson
) -> None:
    """The Korean text is withdrawn first: the starter content has every language."""
    slug = "tien-giang-museum"
    [row] = stack.rows(
        f"""select t.question from knowledge_entry e join knowledge_translation t on t.entry_id = e.id
            where t.language = 'en' and e.live = 1 and e.slug = '{slug}'"""
    )
    web.send(text="안녕하세요", language="ko")
    stack.manage(code=WITHDRAW.format(slug=slug, language="ko"))

    def said() -> tuple[str, str, str | None, bool]:
        body = web.send(text=row["question"])
        reply = body["replies"][0]
        return body["language"], reply["language"], reply["entry"], reply["fallback"]

    eventually(lambda: said() == ("ko", "en", slug, True), 5.0, "the fallback is not said, or not told as one")


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        pytest.param("", {"refused"}, id="empty"),
        pytest.param("   \n\t ", {"refused"}, id="blank"),
        pytest.param("🙂🙂🙂", {"refused"}, id="emoji"),
        pytest.param("\u200b\u200d\ufeff\u2060", {"refused"}, id="zero-width"),
        pytest.param(
            "\x00\x01\x1b[31m\x7f", {"answered", "clarify", "not_known", "refused"}, id="control characters"
        ),
        pytest.param(
            "متى تفتح المعبد؟ שלום \u202e",
            {"answered", "clarify", "not_known", "small_talk"},
            id="right-to-left",
        ),
        pytest.param("/restart", {"clarify", "not_known", "small_talk", "answered"}, id="an order of Rasa's"),
        pytest.param(
            '/handoff@1.0{"kind":"press"}',
            {"clarify", "not_known", "answered", "small_talk"},
            id="an order with entities",
        ),
        pytest.param(
            "𝖁𝖎𝖓𝖍 𝕿𝖗𝖆𝖓𝖌", {"answered", "clarify", "not_known", "small_talk"}, id="mathematical letters"
        ),
        pytest.param(
            "<script>alert(1)</script>", {"answered", "clarify", "not_known", "small_talk"}, id="a script"
        ),
        pytest.param(
            "'; drop table bot_message; --", {"answered", "clarify", "not_known", "small_talk"}, id="sql"
        ),
        pytest.param(
            "{language} {0} %s ${x}", {"answered", "clarify", "not_known", "small_talk"}, id="placeholders"
        ),
    ],
)
def test_bad_input_gets_a_sentence_and_loses_nothing(
    stack: Stack, web: WebPerson, text: str, outcomes: set[str]
) -> None:
    body = web.send(text=text)
    assert body["outcome"] in outcomes
    assert body["ticket"] is None
    assert all(reply["text"] for reply in body["replies"])
    assert body["replies"]
    after = web.send(text="When is Vĩnh Tràng Pagoda open?")
    assert after["outcome"] == "answered"
    assert len(stack.turns("web", web.chat)) == 2


def test_five_thousand_characters_are_cut_and_still_understood(web: WebPerson) -> None:
    body = web.send(text="When is Vĩnh Tràng Pagoda open? " * 160)
    assert "1000" in body["replies"][0]["text"]
    assert body["outcome"] in ("answered", "clarify")


@pytest.mark.parametrize("content", [b"", b"{", b'{"conversation": "x"', b"\xff", b"[]", b"null"])
def test_malformed_json_is_refused_in_the_readers_language(stack: Stack, content: bytes) -> None:
    headers = {"Accept-Language": "ja", "Content-Type": "application/json"}
    response = httpx.post(f"{stack.chat}/api/messages", content=content, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("リクエスト")


def test_a_body_that_is_too_large_is_refused(stack: Stack) -> None:
    response = httpx.post(f"{stack.chat}/api/messages", content=b"x" * 5_000_000)
    assert response.status_code == 400
    assert "64 KiB" in response.json()["error"]["message"]


def test_an_unknown_button_is_refused_politely(web: WebPerson) -> None:
    body = web.send(button="bNoSuchButton")
    assert (body["outcome"], bool(body["replies"][0]["text"])) == ("refused", True)


def test_a_message_sent_twice_with_one_id_is_answered_once(stack: Stack, web: WebPerson) -> None:
    said = {"text": "xin chào", "message_id": "m-1"}
    assert web.send(**said) == web.send(**said)
    assert len(stack.turns("web", web.chat)) == 1


def test_the_events_stream_carries_what_is_said_later(stack: Stack, web: WebPerson) -> None:
    got: list[dict] = []
    opened = threading.Event()

    def listen() -> None:
        with httpx.stream(
            "GET", f"{stack.chat}/api/events", params={"conversation": web.chat}, timeout=20
        ) as stream:
            opened.set()
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    got.append(json.loads(line[6:]))
                    return

    first = web.send(text="xin chào")["replies"][0]["id"]
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert opened.wait(5)
    eventually(lambda: got, 5, "the stream stayed empty")
    assert got[0]["id"] == first


def test_the_api_says_what_it_can_do(stack: Stack) -> None:
    described = httpx.get(f"{stack.chat}/api/openapi.json").json()
    assert {"/api/messages", "/api/events", "/api/texts", "/api/topics"} <= set(described["paths"])
    for language in OPENING_HOURS:
        texts = httpx.get(f"{stack.chat}/api/texts", params={"language": language}).json()
        assert texts["language"] == language
        topics = httpx.get(f"{stack.chat}/api/topics", params={"language": language}).json()["questions"]
        assert 1 <= len(topics) <= 4


def test_many_people_at_once_are_all_answered(stack: Stack) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> tuple[str, str]:
        language = list(OPENING_HOURS)[number % 7]
        body = WebPerson(stack).send(text=OPENING_HOURS[language])
        return body["outcome"], body["language"] + language

    with ThreadPoolExecutor(14) as pool:
        answers = list(pool.map(ask, range(42)))
    assert {outcome for outcome, _ in answers} == {"answered"}
    assert all(pair[:2] == pair[2:] for _, pair in answers)
