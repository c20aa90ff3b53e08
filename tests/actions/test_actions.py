"""Actions by themselves: a tracker, an empty dispatcher, and the events and messages that come back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import answer, context, human, press
from actions.tickets import TicketError
from bot.models import Conversation, Turn
from knowledge.client import Found, SearchClient, SearchUnavailable

NEAR = [
    {"entry": "boat-prices", "score": 0.3},
    {"entry": "boat-prices", "score": 0.2},
    {"entry": "boat-pier", "score": 0.1},
]


def tracker(
    text: str = "hello", intent: str = "ask", entities: Any = (), loop: str | None = None, **slots: Any
) -> Tracker:
    message = {
        "text": text,
        "intent": {"name": intent, "confidence": 1.0},
        "entities": [{"entity": name, "value": value} for name, value in entities],
    }
    slots = {"language": "en", **slots}
    return Tracker("one", slots, message, [], False, None, {"name": loop} if loop else {}, "action_listen")


def slot_tracker(form: str, slots: dict[str, Any], **known: Any) -> Tracker:
    found = tracker(loop=form, **known, **slots)
    found.events = [{"event": "action", "name": form}] + [
        {"event": "slot", "name": name, "value": value, "timestamp": None} for name, value in slots.items()
    ]
    return found


def customs(dispatcher: CollectingDispatcher, kind: str) -> list[dict[str, Any]]:
    return [m["custom"] for m in dispatcher.messages if m["custom"].get("kind") == kind]


def said(dispatcher: CollectingDispatcher) -> list[str]:
    return [m["response"] for m in dispatcher.messages if m["response"]]


def search_gives(
    monkeypatch: pytest.MonkeyPatch, found: Found | Exception, about: str | None = None
) -> list[dict[str, Any]]:
    """Play the search, and a conversation that was last about an entry; return what the search is asked."""
    asked: list[dict[str, Any]] = []

    class Client:
        async def search(self, text: str, language: str, top_k: int = 5, about: str | None = None) -> Found:
            asked.append({"text": text, "language": language, "about": about})
            if isinstance(found, Exception):
                raise found
            return found

    async def last_entry(conversation: str) -> str | None:
        return about

    monkeypatch.setattr(answer, "search_client", lambda: Client())
    monkeypatch.setattr(answer, "last_entry", last_entry)
    return asked


async def test_an_answer_names_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    search_gives(monkeypatch, Found("answered", "boat-prices", "vi", 0.93, NEAR))
    dispatcher = CollectingDispatcher()
    events = await answer.AnswerQuestion().run(dispatcher, tracker(not_known_count=2), {})
    assert customs(dispatcher, "answer") == [{"kind": "answer", "entry": "boat-prices"}]
    (turn,) = customs(dispatcher, "turn")
    assert (turn["outcome"], turn["entry"], turn["entry_language"], turn["score"]) == (
        "answered",
        "boat-prices",
        "vi",
        0.93,
    )
    assert turn["near"] == NEAR
    assert "form" not in turn
    assert [(e["name"], e["value"]) for e in events] == [("not_known_count", 0)]


async def test_the_search_is_told_what_was_answered_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = search_gives(monkeypatch, Found("answered", "boat-prices", "vi", 0.9, NEAR, "boat-pier"), "boat-pier")
    await answer.AnswerQuestion().run(CollectingDispatcher(), tracker(text="and how much is it?"), {})
    assert asked == [{"text": "and how much is it?", "language": "en", "about": "boat-pier"}]


@pytest.mark.django_db(transaction=True)
async def test_what_was_answered_last_is_read_from_the_conversation() -> None:
    conversation = await Conversation.objects.acreate(channel="web", chat_id="c1")
    assert await context.last_entry(conversation.sender) is None
    await Turn.objects.acreate(conversation=conversation, language="en", outcome="answered", entry="boat-pier")
    assert await context.last_entry(conversation.sender) == "boat-pier"


@pytest.mark.parametrize("error", [OperationalError("locked"), ValidationError("not a uuid")])
async def test_without_the_database_a_question_stands_by_itself(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(conversation: str) -> str:
        raise error

    monkeypatch.setattr("bot.context.last_answered", fails)
    monkeypatch.setattr(context, "close_old_connections", lambda: None)
    assert await context.last_entry("default") is None


async def test_a_doubtful_question_offers_each_entry_once(monkeypatch: pytest.MonkeyPatch) -> None:
    search_gives(monkeypatch, Found("clarify", None, None, 0.5, NEAR))
    dispatcher = CollectingDispatcher()
    await answer.AnswerQuestion().run(dispatcher, tracker(), {})
    assert customs(dispatcher, "choices") == [
        {"kind": "choices", "entries": ["boat-prices", "boat-pier"], "human": True}
    ]


@pytest.mark.parametrize(
    ("before", "response", "offers"),
    [(None, "first", 2), (0, "first", 2), (1, "second", 2), (2, "again", 0), (7, "again", 0)],
)
async def test_the_unknown_is_said_more_briefly_each_time(
    monkeypatch: pytest.MonkeyPatch, before: int | None, response: str, offers: int
) -> None:
    search_gives(monkeypatch, Found("not_known", None, None, 0.1, NEAR))
    dispatcher = CollectingDispatcher()
    events = await answer.AnswerQuestion().run(dispatcher, tracker(not_known_count=before), {})
    assert said(dispatcher) == [f"utter_not_known_{response}"]
    assert len(customs(dispatcher, "choices")[0]["entries"]) == offers
    assert events[0]["value"] == (before or 0) + 1


async def test_a_failing_search_is_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    search_gives(monkeypatch, SearchUnavailable("ConnectError"))
    dispatcher = CollectingDispatcher()
    assert await answer.AnswerQuestion().run(dispatcher, tracker(), {}) == []
    assert said(dispatcher) == ["utter_knowledge_down"]


async def test_an_open_form_is_named_in_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    search_gives(monkeypatch, Found("answered", "boat-prices", "vi", 0.93, []))
    dispatcher = CollectingDispatcher()
    await answer.AnswerQuestion().run(dispatcher, tracker(loop="press_form", requested_slot="press_name"), {})
    (turn,) = customs(dispatcher, "turn")
    assert (turn["form"], turn["requested"]) == ("press", "press_name")


async def test_words_for_a_form_that_a_pause_closed_open_it_again() -> None:
    events = await answer.AnswerQuestion().run(
        CollectingDispatcher(), tracker(intent="inform", press_name="Sarah"), {}
    )
    assert [(event["event"], event["name"]) for event in events] == [("followup", "press_form")]


async def test_a_button_shows_an_entry() -> None:
    dispatcher = CollectingDispatcher()
    await answer.ShowEntry().run(
        dispatcher, tracker(intent="show_entry", entities=[("entry", "boat-pier")]), {}
    )
    assert customs(dispatcher, "answer") == [{"kind": "answer", "entry": "boat-pier"}]


async def test_a_refused_value_is_explained_and_emptied() -> None:
    dispatcher = CollectingDispatcher()
    events = await press.ValidatePressForm().run(
        dispatcher, slot_tracker("press_form", {"press_contact": "call me"}), {}
    )
    assert said(dispatcher) == ["utter_press_bad_contact"]
    assert [(e["name"], e["value"]) for e in events] == [("press_contact", None)]


async def test_a_value_keeps_what_is_shown_of_it() -> None:
    events = await press.ValidatePressForm().run(
        CollectingDispatcher(), slot_tracker("press_form", {"press_format": "quay phim"}), {}
    )
    assert [(e["name"], e["value"]) for e in events] == [
        ("press_format", "filming"),
        ("press_format_label", "Filming"),
    ]


async def test_a_correction_empties_one_field_only() -> None:
    events = await press.CorrectPress().run(
        CollectingDispatcher(), tracker(intent="correct", entities=[("field", "press_contact")]), {}
    )
    assert [(e.get("name"), e.get("value")) for e in events] == [
        ("press_contact", None),
        ("press_confirm", None),
        ("press_form", None),
    ]


@pytest.mark.parametrize("field", ["", "language", "press_words", "password"])
async def test_a_field_that_is_none_is_asked_for(field: str) -> None:
    dispatcher = CollectingDispatcher()
    assert (
        await press.CorrectPress().run(dispatcher, tracker(intent="correct", entities=[("field", field)]), {})
        == []
    )
    assert said(dispatcher) == ["utter_press_which_field"]


FILLED = {
    "press_name": "Sarah",
    "press_outlet": "BBC",
    "press_country": "UK",
    "press_subject": "The merger of provinces",
    "press_format": "interview",
    "press_format_label": "Interview",
    "press_deadline": "2030-01-15T17:00+07:00",
    "press_deadline_label": "2030-01-15 17:00 (GMT+7)",
    "press_contact": "chat",
    "press_contact_label": "This chat",
}


@pytest.mark.parametrize(
    ("words", "kept"), [("I want an interview", "I want an interview"), ("/press", "The merger of provinces")]
)
async def test_a_press_request_becomes_a_ticket(
    monkeypatch: pytest.MonkeyPatch, words: str, kept: str
) -> None:
    opened: dict[str, Any] = {}

    async def open_ticket(**ticket: Any) -> str:
        opened.update(ticket)
        return "MT-2030-0001"

    monkeypatch.setattr(press, "open_ticket", open_ticket)
    dispatcher = CollectingDispatcher()
    events = await press.SubmitPress().run(
        dispatcher, tracker(intent="press_send", **FILLED, press_words=words), {}
    )
    assert (opened["kind"], opened["conversation"], opened["words"]) == ("press", "one", kept)
    assert opened["deadline"].isoformat() == "2030-01-15T17:00:00+07:00"
    assert opened["fields"]["contact"] == "This chat"
    (turn,) = customs(dispatcher, "turn")
    assert (turn["outcome"], turn["ticket"]) == ("handed_off", "MT-2030-0001")
    assert {e["name"] for e in events if e["value"] is None} >= set(press.ALL_SLOTS)


async def test_a_database_that_fails_keeps_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_ticket(**ticket: Any) -> str:
        raise TicketError("OperationalError: database is locked")

    monkeypatch.setattr(press, "open_ticket", open_ticket)
    monkeypatch.setattr(human, "open_ticket", open_ticket)
    dispatcher = CollectingDispatcher()
    events = await press.SubmitPress().run(dispatcher, tracker(**FILLED), {})
    assert said(dispatcher) == ["utter_press_failed"]
    assert [(e["event"], e.get("name"), e.get("value")) for e in events] == [
        ("slot", "press_confirm", None),
        ("active_loop", "press_form", None),
    ]
    await human.SubmitHuman().run(dispatcher, tracker(human_message="hello there"), {})
    assert said(dispatcher)[-1] == "utter_human_failed"


def client(answer_with: httpx.Response | Exception) -> SearchClient:
    def handler(request: httpx.Request) -> httpx.Response:
        if isinstance(answer_with, Exception):
            raise answer_with
        return answer_with

    return SearchClient("http://knowledge", 1.0, httpx.MockTransport(handler))


@pytest.mark.parametrize(
    "bad",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        httpx.Response(503),
        httpx.Response(200, text="no json"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"outcome": "perhaps"}),
        httpx.Response(200, json=None),
    ],
    ids=lambda bad: type(bad).__name__,
)
async def test_every_failure_of_the_search_is_one_error(bad: httpx.Response | Exception) -> None:
    knowledge = client(bad)
    with pytest.raises(SearchUnavailable):
        await knowledge.search("hello", "en")
    await knowledge.aclose()


async def test_what_the_search_found() -> None:
    knowledge = client(
        httpx.Response(200, json={"outcome": "clarify", "entry": None, "score": 0.4, "near": NEAR})
    )
    found = await knowledge.search("hello", "en")
    assert found.offers() == ["boat-prices", "boat-pier"]
    await knowledge.aclose()
