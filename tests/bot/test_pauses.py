"""The switch: what staff have paused is not answered, and the asker is told so, and why."""

from __future__ import annotations

import datetime as dt

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone

from bot import outbox
from bot.models import Conversation, Delivery, Message
from bot.store import Incoming
from bot.texts import say
from desk import pauses
from desk.models import AuditRecord, Ticket
from knowledge.answers import load_questions, starter_questions
from knowledge.models import Category, Entry
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)


def said(text: str = "", number: object = 1, **fields) -> Incoming:
    return Incoming(channel="web", chat_id="c1", external_id=f"c1-{number}", text=text, **fields)


@pytest.fixture
def head(db):
    return get_user_model().objects.create(username="head")


async def paused(head, category: str = "", reason: str = "checking"):
    return await sync_to_async(pauses.begin)(category, reason, "The hours are in doubt.", head)


async def test_a_paused_topic_is_not_answered_and_the_others_are(bot_desk, rasa, pagoda, head) -> None:
    rasa.answers("pagoda-hours")
    pause = await paused(head, pagoda.category)
    [reply] = (await bot_desk.handle(said("When does the pagoda open?", language="en"))).replies
    assert "paused answers about “Tourism”" in reply["text"]
    assert "Reason: the information is being checked." in reply["text"]
    assert (reply["entry"], reply["source"]) == (None, None)
    assert [each["label"] for each in reply["buttons"]] == ["Talk to a person"]
    await sync_to_async(pauses.end)(pause, head)
    await paused(head, "food")
    [reply] = (await bot_desk.handle(said("When does the pagoda open?", 2, language="en"))).replies
    assert reply["entry"] == "pagoda-hours"


async def test_the_paused_bot_answers_nothing_but_leads_to_people(bot_desk, rasa, pagoda, head) -> None:
    rasa.answers("pagoda-hours")
    await paused(head, reason="emergency")
    result = await bot_desk.handle(said("Chùa mở cửa lúc nào?"))
    assert (result.outcome, rasa.sent) == ("refused", [])
    assert "hãy theo dõi thông báo của chính quyền" in result.replies[0]["text"]
    [button] = result.replies[0]["buttons"]
    result = await bot_desk.handle(said(number=2, button=button["id"]))
    assert result.ticket
    assert await Ticket.objects.acount() == 1


async def test_an_emergency_is_answered_whatever_is_paused(bot_desk, rasa, head) -> None:
    await paused(head)
    result = await bot_desk.handle(said("Help, my friend is drowning!", language="en"))
    assert result.outcome == "emergency"
    assert "114" in result.replies[0]["text"]


async def test_ones_own_data_can_be_read_while_all_is_paused(bot_desk, rasa, head) -> None:
    await paused(head)
    result = await bot_desk.handle(said("/privacy", language="en"))
    assert result.outcome == "small_talk"


def test_an_answer_that_waited_in_the_outbox_is_replaced(pagoda, head) -> None:
    chat = Conversation.objects.create(channel="telegram", chat_id="7", language="en")
    message = Message.objects.create(
        conversation=chat, author="bot", text="7:00", payload={"entry": "pagoda-hours", "language": "en"},
        state=Delivery.QUEUED,
    )  # fmt: skip
    Message.objects.update(created_at=timezone.now() - dt.timedelta(minutes=5))
    pauses.begin(pagoda.category, "fault", "x", head)
    sent = outbox.claim(message.pk)
    assert "paused" in sent.text
    assert "a technical fault" in sent.text
    assert sent.payload["entry"] is None


def test_no_paused_topic_is_offered(pagoda, head) -> None:
    assert load_questions(["pagoda-hours"], "en")
    assert load_questions(["pagoda-hours"], "en", [pagoda.category]) == []
    assert starter_questions("vi", 4)
    assert starter_questions("vi", 4, [pagoda.category]) == []


@pytest.mark.parametrize("language", CODES)
def test_every_topic_and_reason_has_words(language: str) -> None:
    for category in Category.values:
        assert say(f"topic_{category}", language)
    for reason in ("checking", "fault", "emergency"):
        assert say(f"paused_because_{reason}", language)


def test_what_is_paused_is_paused_once_with_a_reason_and_recorded(head) -> None:
    pause = pauses.begin("food", "checking", "A price is wrong.", head)
    with pytest.raises(ValidationError, match="paused already"):
        pauses.begin("food", "fault", "x", head)
    for category, reason, note in (("music", "fault", "x"), ("city", "weather", "x"), ("city", "fault", "  ")):
        with pytest.raises(ValidationError):
            pauses.begin(category, reason, note, head)
    pauses.end(pause, head)
    with pytest.raises(ValidationError, match="ended this pause already"):
        pauses.end(pause, head)
    rows = AuditRecord.objects.filter(subject="topic:food").values_list("action", "actor")
    assert list(rows.order_by("sequence")) == [("paused", "head"), ("resumed", "head")]


def test_an_entry_is_withdrawn_with_its_reason(pagoda, head) -> None:
    with pytest.raises(ValidationError, match="no published entry"):
        pauses.withdraw("nothing", "x", head)
    pauses.withdraw("pagoda-hours", "The pagoda is closed for repairs.", head)
    assert not Entry.objects.answerable().filter(slug="pagoda-hours").exists()
    record = AuditRecord.objects.get(action="withdrawn")
    assert (record.subject, record.data["note"]) == ("entry:pagoda-hours", "The pagoda is closed for repairs.")
