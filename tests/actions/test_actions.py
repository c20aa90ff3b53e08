"""Actions by themselves: a tracker, an empty dispatcher, and the events and messages that come back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import answer, complaint, context, form_model, forms, human, investment, left, press
from actions.tickets import Opened, TicketError
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


@pytest.mark.parametrize(
    ("form", "slot"),
    [
        (press.PRESS, "press_name"), (investment.INVESTMENT, "investment_country"),
        (complaint.COMPLAINT, "complaint_subject"),
    ],
)
async def test_a_form_that_a_pause_closed_is_taken_up_or_forgotten(form: form_model.Form, slot: str) -> None:
    events = await left.ResumeLeft().run(CollectingDispatcher(), tracker(intent="resume", **{slot: "x"}), {})
    assert [(event["event"], event["name"]) for event in events] == [("followup", form.loop)]
    dispatcher = CollectingDispatcher()
    events = await left.CancelLeft().run(dispatcher, tracker(intent="cancel", **{slot: "x"}), {})
    assert said(dispatcher) == ["utter_form_cancelled"]
    assert {e["name"] for e in events} == {*form.slots, "corrected_slot"}


async def test_with_nothing_left_open_there_is_nothing_to_continue_or_cancel() -> None:
    dispatcher = CollectingDispatcher()
    assert await left.ResumeLeft().run(dispatcher, tracker(), {}) == []
    assert await left.CancelLeft().run(dispatcher, tracker(), {}) == []
    assert said(dispatcher) == ["utter_anything_else", "utter_nothing_to_cancel"]


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
    assert said(dispatcher) == ["utter_form_bad_contact"]
    assert [(e["name"], e["value"]) for e in events] == [("press_contact", None), ("keep_days", "730")]


async def test_a_value_keeps_what_is_shown_of_it() -> None:
    events = await press.ValidatePressForm().run(
        CollectingDispatcher(), slot_tracker("press_form", {"press_format": "quay phim"}, keep_days="730"), {}
    )
    assert [(e["name"], e["value"]) for e in events] == [
        ("press_format", "filming"),
        ("press_format_label", "Filming"),
    ]


FIRST = (
    "I'm Sarah Miller from the BBC, based in the United Kingdom, and would like an interview with the mayor about the"
    " merger of the provinces. My deadline is 18 January 2030 5 pm. sarah@example.org"
)


def values(events: list[Any]) -> dict[str, Any]:
    return {e["name"]: e["value"] for e in events if e["event"] == "slot"}


async def test_what_the_first_message_said_is_filled_in_up_to_the_consent() -> None:
    found = values(await press.ValidatePressForm().run(
        CollectingDispatcher(), slot_tracker("press_form", {}, press_words=FIRST), {}
    ))
    assert (found["press_name"], found["press_outlet"]) == ("Sarah Miller", "BBC")
    assert (found["press_format"], found["press_zone"]) == ("interview", "Europe/London")
    # Read as five in London once the country is known.
    assert found["press_deadline"] == "2030-01-19T00:00+07:00"
    assert found["press_deadline_label"] == "18 January 2030, 17:00 (London) = 19 January 2030, 00:00 (GMT+7)"
    assert "press_contact" not in found


async def test_contact_data_are_read_from_the_first_message_after_the_consent_only() -> None:
    known = {name: value for name, value in FILLED.items() if "contact" not in name and "consent" not in name}
    found = values(await press.ValidatePressForm().run(
        CollectingDispatcher(),
        slot_tracker(
            "press_form", {"press_consent": "agree"}, press_words=FIRST, requested_slot="press_consent", **known
        ), {},
    ))
    assert found["press_contact"] == "sarah@example.org"
    assert found["press_consent"].startswith("20")


async def test_without_agreement_nothing_is_filled() -> None:
    dispatcher = CollectingDispatcher()
    found = values(await press.ValidatePressForm().run(
        dispatcher,
        slot_tracker("press_form", {"press_consent": "no"}, press_words=FIRST, requested_slot="press_consent"), {},
    ))
    assert said(dispatcher) == ["utter_form_bad_consent"]
    assert found["press_consent"] is None
    assert "press_contact" not in found


async def test_an_agreement_of_before_a_pause_stays_as_it_is() -> None:
    before = {"press_consent": "2026-11-23T02:00:00+00:00"}
    dispatcher = CollectingDispatcher()
    found = values(await press.ValidatePressForm().run(dispatcher, slot_tracker("press_form", before), {}))
    assert said(dispatcher) == []
    assert "press_consent" not in found


async def test_a_field_that_is_asked_or_corrected_is_not_filled_from_the_first_message() -> None:
    known = {"press_words": FIRST, "press_name": "Sarah Miller"}
    for asked in ({"requested_slot": "press_outlet"}, {"corrected_slot": "press_outlet"}):
        found = values(await press.ValidatePressForm().run(
            CollectingDispatcher(), slot_tracker("press_form", {}, **known, **asked), {}
        ))
        assert "press_outlet" not in found


async def test_a_correction_empties_one_field_only() -> None:
    events = await press.CorrectPress().run(
        CollectingDispatcher(), tracker(intent="correct", entities=[("field", "press_contact")]), {}
    )
    assert [(e.get("name"), e.get("value")) for e in events] == [
        ("press_contact", None),
        ("press_confirm", None),
        ("corrected_slot", "press_contact"),
        ("press_form", None),
    ]


async def test_a_corrected_country_settles_the_zone_anew() -> None:
    events = await press.CorrectPress().run(
        CollectingDispatcher(), tracker(intent="correct", entities=[("field", "press_country")]), {}
    )
    assert [(e["name"], e["value"]) for e in events if e["event"] == "slot"] == [
        ("press_country", None), ("press_zone", None), ("press_confirm", None), ("corrected_slot", "press_country"),
    ]


@pytest.mark.parametrize("field", ["", "language", "press_words", "press_consent", "password"])
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
    "press_zone": "Europe/London",
    "press_consent": "2026-11-23T02:00:00+00:00",
}


@pytest.mark.parametrize(
    ("words", "kept"), [("I want an interview", "I want an interview"), ("/press", "The merger of provinces")]
)
async def test_a_press_request_becomes_a_ticket(
    monkeypatch: pytest.MonkeyPatch, words: str, kept: str
) -> None:
    opened: dict[str, Any] = {}

    async def open_ticket(**ticket: Any) -> Opened:
        opened.update(ticket)
        return Opened("MT-2030-0001", "The office is open now.")

    monkeypatch.setattr(forms, "open_ticket", open_ticket)
    dispatcher = CollectingDispatcher()
    events = await press.SubmitPress().run(
        dispatcher, tracker(intent="choose", **FILLED, press_words=words), {}
    )
    assert (opened["kind"], opened["conversation"], opened["words"]) == ("press", "one", kept)
    assert opened["deadline"].isoformat() == "2030-01-15T17:00:00+07:00"
    assert opened["consented_at"].isoformat() == "2026-11-23T02:00:00+00:00"
    assert opened["zone"] == "Europe/London"
    assert (opened["fields"]["contact"], opened["fields"]["contact_label"]) == ("chat", "This chat")
    assert not {"consent", "confirm", "words", "zone"} & set(opened["fields"])
    (turn,) = customs(dispatcher, "turn")
    assert (turn["outcome"], turn["ticket"]) == ("handed_off", "MT-2030-0001")
    assert {e["name"] for e in events if e["value"] is None} >= set(press.PRESS.slots)


async def test_a_database_that_fails_keeps_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    async def open_ticket(**ticket: Any) -> str:
        raise TicketError("OperationalError: database is locked")

    monkeypatch.setattr(forms, "open_ticket", open_ticket)
    dispatcher = CollectingDispatcher()
    events = await press.SubmitPress().run(dispatcher, tracker(**FILLED), {})
    assert said(dispatcher) == ["utter_form_failed"]
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
