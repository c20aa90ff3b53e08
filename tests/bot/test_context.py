"""What a conversation has just been about, as the turns tell it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from bot.context import last_answered
from bot.models import Conversation, Outcome, Turn
from bot.store import Incoming

pytestmark = pytest.mark.django_db
PIER = {"outcome": Outcome.ANSWERED, "entry": "boat-pier", "text": "where do boats leave"}


@pytest.fixture
def conversation() -> Conversation:
    return Conversation.objects.create(channel="telegram", chat_id="7")


def turns(conversation: Conversation, *rows: dict[str, str]) -> None:
    for row in rows:
        Turn.objects.create(conversation=conversation, **{"language": "en", **row})


def test_a_new_conversation_is_about_nothing(conversation: Conversation) -> None:
    assert last_answered(conversation.sender) is None


@pytest.mark.parametrize(("since", "expected"), [
    ([], "boat-pier"),
    ([{"outcome": Outcome.SMALL_TALK, "text": "thanks"}], "boat-pier"),
    ([{"outcome": Outcome.REFUSED}], "boat-pier"),
    ([{"outcome": Outcome.NOT_KNOWN, "text": "and how much is it?"}], "boat-pier"),
    ([{"outcome": Outcome.CLARIFY, "text": "còn giá?", "language": "vi"}], "boat-pier"),
    ([{"outcome": Outcome.ANSWERED, "entry": "e-visa", "text": "e-visa"}], "e-visa"),
    ([{"outcome": Outcome.NOT_KNOWN, "text": "how far is the moon"}], None),
    ([{"outcome": Outcome.FAILED, "text": "where is the museum"}], None),
    ([{"outcome": Outcome.FORM, "text": "I would like an interview"}], None),
    ([{"outcome": Outcome.HANDED_OFF, "text": "a person please"}], None),
    ([{"outcome": Outcome.EMERGENCY, "text": "fire"}], None),
    ([{"outcome": Outcome.HANDED_OFF, "text": "a person"}, {"outcome": Outcome.SMALL_TALK, "text": "thanks"}], None),
])
def test_what_came_since_the_answer(conversation: Conversation, since: list[dict[str, str]], expected: str) -> None:
    turns(conversation, PIER, *since)
    assert last_answered(conversation.sender) == expected


def test_an_old_answer_is_not_what_it_means(conversation: Conversation) -> None:
    turns(conversation, PIER)
    Turn.objects.update(created_at=timezone.now() - dt.timedelta(minutes=29))
    assert last_answered(conversation.sender) == "boat-pier"
    Turn.objects.update(created_at=timezone.now() - dt.timedelta(minutes=31))
    assert last_answered(conversation.sender) is None


def test_what_others_ask_does_not_count(conversation: Conversation) -> None:
    turns(Conversation.objects.create(channel="telegram", chat_id="8"), PIER)
    assert last_answered(conversation.sender) is None


def test_one_query_tells_it(conversation: Conversation, django_assert_num_queries) -> None:
    turns(conversation, PIER, *[{"outcome": Outcome.SMALL_TALK, "text": "thanks"}] * 5)
    with django_assert_num_queries(1):
        assert last_answered(conversation.sender) == "boat-pier"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("channel", ["web", "telegram", "terminal"])
async def test_without_rasa_a_follow_up_goes_on_about_what_rasa_answered(
    bot_desk, rasa, search, pagoda, channel: str
) -> None:
    def said(text: str, number: int) -> Incoming:
        return Incoming(channel=channel, chat_id="c1", external_id=f"{channel}-{number}", text=text)

    rasa.answers("pagoda-hours")
    await bot_desk.handle(said("When does the pagoda open?", 1))
    rasa.items = []
    search.found = {"outcome": "not_known", "entry": None, "entry_language": None, "score": 0.1, "near": []}
    texts = ("and how much is it?", "how do I get there?", "how far is the moon", "is it far?")
    for number, text in enumerate(texts, 2):
        await bot_desk.handle(said(text, number))
    assert [asked.get("about") for asked in search.asked] == ["pagoda-hours", "pagoda-hours", "pagoda-hours", None]
