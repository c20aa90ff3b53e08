"""The buttons that begin a form, while the dialogue engine is down: everything in one message, as a ticket."""

from __future__ import annotations

import httpx
import pytest
from asgiref.sync import sync_to_async

from bot.models import Button, Conversation
from bot.store import Incoming
from bot.texts import say
from desk.models import Ticket
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)


def said(text: str = "", number: object = 1, **fields) -> Incoming:
    return Incoming(channel="web", chat_id="c1", external_id=f"c1-{number}", text=text, **fields)


async def press(bot_desk, payload: str, number: int):
    conversation = await Conversation.objects.aget()
    button = await Button.objects.acreate(conversation=conversation, label="x", payload=payload)
    return await bot_desk.handle(said(number=number, button=button.id))


@pytest.fixture
async def down(bot_desk, rasa):
    await bot_desk.handle(said("hello"))
    rasa.error = httpx.ConnectError("down")
    return rasa


@pytest.mark.parametrize(
    ("order", "kind"), [("/press", "press"), ("/investment", "investment"), ("/complaint", "complaint")]
)
async def test_one_message_becomes_a_ticket_of_its_kind(bot_desk, down, order: str, kind: str) -> None:
    asked = await press(bot_desk, order, 2)
    assert (asked.outcome, asked.form) == ("form", kind)
    assert "everything in one message" in asked.replies[0]["text"]
    assert "730 days" in asked.replies[0]["text"]
    words = "Ann Lee, of the Kyoto Post: the new bridge, by Friday, ann@example.org"
    handed = await bot_desk.handle(said(words, number=3))
    ticket = await Ticket.objects.aget()
    assert (handed.outcome, handed.ticket, ticket.kind) == ("handed_off", ticket.number, kind)
    assert await sync_to_async(lambda: ticket.events.filter(text=words).exists() or words in str(ticket.fields))()
    assert (await Conversation.objects.aget()).form == ""


async def test_it_can_be_left(bot_desk, down) -> None:
    await press(bot_desk, "/press", 2)
    left = await bot_desk.handle(said("/cancel", number=3))
    assert (left.outcome, left.form) == ("small_talk", None)
    assert left.replies[0]["text"] == "All right, nothing goes to the staff."
    assert not await Ticket.objects.aexists()


async def test_a_menu_pressed_in_an_open_form_opens_no_ticket_and_leaves_the_form_open(bot_desk, rasa) -> None:
    rasa.items = [
        {"text": "Which outlet?"},
        {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
    ]
    await bot_desk.handle(said("I would like an interview"))
    rasa.error = httpx.ConnectError("down")
    for number, order in enumerate(("/greet", "/cancel", "/choose_language"), start=2):
        result = await press(bot_desk, order, number)
        assert (result.outcome, result.form) == ("failed", "press")
    assert (await Conversation.objects.aget()).requested == "press_outlet"
    assert not await Ticket.objects.aexists()


@pytest.mark.parametrize("language", CODES)
def test_what_is_asked_names_what_is_kept_and_how_long(language: str) -> None:
    text = say("form_in_one_message", language, days=730)
    assert "730" in text
    assert "/privacy" in text
