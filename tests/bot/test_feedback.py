""""Not what I asked" and "tell me when there is an answer": the buttons, what is noted, who is told, once."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.utils import timezone

from bot import feedback, wishes
from bot.models import Button, Conversation, Delivery, Handler, Message, Turn
from bot.store import Incoming
from bot.texts import say
from knowledge.client import Found, SearchClient, SearchUnavailable
from knowledge.models import Entry, Translation
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)
NOT_KNOWN = [
    {"text": "I have no checked answer."},
    {"custom": {"kind": "choices", "entries": [], "human": True}},
    {"custom": {"kind": "turn", "outcome": "not_known", "intent": "ask", "score": 0.2, "near": []}},
]


def said(text: str = "", number: object = 1, chat: str = "c1", **fields) -> Incoming:
    return Incoming(channel="web", chat_id=chat, external_id=f"{chat}-{number}", text=text, **fields)


def button(result, label: str) -> str:
    found = [each for reply in result.replies for each in reply["buttons"] if each["label"] == label]
    assert found, [each["label"] for reply in result.replies for each in reply["buttons"]]
    return found[0]["id"]


def answered(entry: str) -> Found:
    return Found("answered", entry, "en", 0.9)


@pytest.fixture
def boat(pagoda: Entry) -> Entry:
    """Another entry."""
    found = Entry.objects.create(
        slug="boat-hire", category="tourism", department=pagoda.department, verified_on=pagoda.verified_on
    )
    Translation.objects.create(entry=found, language="en", question="Where can I hire a boat?", answer="At the pier.")
    return found


@pytest.fixture
def finds(monkeypatch):
    """What the search service finds in the worker's round, by question."""
    found: dict[str, Found] = {}

    async def search(self, text, language, **_):
        return found.get(text) or Found("not_known", None, None, None)

    monkeypatch.setattr(SearchClient, "search", search)
    return found


async def test_an_answer_can_be_called_wrong_and_what_came_close_is_offered(bot_desk, rasa, boat) -> None:
    near = [{"entry": "pagoda-hours", "score": 0.9}, {"entry": "boat-hire", "score": 0.4}]
    rasa.answers("pagoda-hours", "en", near=near)
    result = await bot_desk.handle(said("When does the boat leave?"))
    sorry = await bot_desk.handle(said(number=2, button=button(result, "👎 Not what I asked")))
    assert sorry.replies[0]["text"] == say("disliked", "en")
    assert [each["label"] for each in sorry.replies[0]["buttons"]] == [
        "Where can I hire a boat?", "Talk to a person"
    ]
    turn = await Turn.objects.aget(text="When does the boat leave?")
    assert turn.disliked_at is not None
    first = turn.disliked_at
    await bot_desk.handle(said(number=3, button=button(result, "👎 Not what I asked")))
    await turn.arefresh_from_db()
    assert turn.disliked_at == first


async def test_what_was_chosen_from_a_list_has_no_such_button(bot_desk, rasa, pagoda) -> None:
    await bot_desk.handle(said("hello"))
    rasa.answers("pagoda-hours", "en")
    chosen = await Button.objects.acreate(
        conversation=await Conversation.objects.aget(), label="x", payload='/show_entry{"entry": "pagoda-hours"}'
    )
    result = await bot_desk.handle(said(number=2, button=chosen.id))
    assert [each["label"] for each in result.replies[0]["buttons"]] == []


async def test_whoever_wants_to_know_is_told_once(bot_desk, rasa, pagoda, finds) -> None:
    rasa.items = NOT_KNOWN
    question = "Is the pagoda open in the evening?"
    result = await bot_desk.handle(said(question))
    kept = await bot_desk.handle(said(number=2, button=button(result, "🔔 Tell me when there is an answer")))
    assert kept.replies[0]["text"] == say("wish_kept", "en", days=180)
    assert await sync_to_async(wishes.tell)() == 0
    finds[question] = answered("pagoda-hours")
    assert await sync_to_async(wishes.tell)() == 1
    assert await sync_to_async(wishes.tell)() == 0
    told = [each async for each in Message.objects.filter(state=Delivery.QUEUED).order_by("id")]
    assert [each.text for each in told] == [
        f"🔔 You asked: “{question}”. Now there is an answer:", "Open 7:00–11:30 and 13:30–17:30."
    ]
    assert told[1].payload["entry"] == "pagoda-hours"


async def test_nobody_is_told_while_staff_have_the_conversation(bot_desk, rasa, pagoda, finds) -> None:
    rasa.items = NOT_KNOWN
    result = await bot_desk.handle(said("Is it open at night?"))
    await bot_desk.handle(said(number=2, button=button(result, "🔔 Tell me when there is an answer")))
    finds["Is it open at night?"] = answered("pagoda-hours")
    await Conversation.objects.aupdate(handler=Handler.STAFF)
    assert await sync_to_async(wishes.tell)() == 0
    await Conversation.objects.aupdate(handler=Handler.BOT)
    assert await sync_to_async(wishes.tell)() == 1


async def test_nobody_is_told_of_what_was_withdrawn(bot_desk, rasa, finds) -> None:
    rasa.items = NOT_KNOWN
    result = await bot_desk.handle(said("Is it open at night?"))
    await bot_desk.handle(said(number=2, button=button(result, "🔔 Tell me when there is an answer")))
    finds["Is it open at night?"] = answered("no-such-entry")
    assert await sync_to_async(wishes.tell)() == 0
    assert await Turn.objects.filter(told_at=None, wished_at__isnull=False).aexists()


async def test_a_button_of_somebody_else_notes_nothing(bot_desk, rasa) -> None:
    rasa.items = NOT_KNOWN
    await bot_desk.handle(said("Mine?"))
    other = await bot_desk.handle(said("Theirs?", chat="c2"))
    turn = await Turn.objects.aget(text="Mine?")
    conversation = await Conversation.objects.aget(chat_id="c2")
    with pytest.raises(feedback.UnknownButton):
        await sync_to_async(feedback.wish)(conversation, str(turn.pk), "en")
    assert other.outcome == "not_known"
    await turn.arefresh_from_db()
    assert turn.wished_at is None


def test_the_worker_goes_on_when_the_search_does_not_answer(monkeypatch) -> None:
    chat = Conversation.objects.create(channel="web", chat_id="c", language="en")
    Turn.objects.create(
        conversation=chat, text="When?", language="en", outcome="not_known", wished_at=timezone.now()
    )

    async def search(self, text, language, **_):
        raise SearchUnavailable("down")

    monkeypatch.setattr(SearchClient, "search", search)
    call_command("worker", "--once")
    assert Turn.objects.get().told_at is None


@pytest.mark.parametrize("language", CODES)
def test_the_question_stands_in_what_is_told(language: str) -> None:
    assert "Q?" in say("wish_told", language, question="Q?")
