"""/withdraw: a request taken back by the one who made it, and by nobody else."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from bot.models import Conversation, Handler
from bot.store import Incoming
from desk import answers, tickets
from desk.models import AnswerState, State, Ticket, TicketEvent
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = {
    "name": "Sarah Miller",
    "outlet": "BBC",
    "contact": "s@example.org",
    "contact_label": "s@example.org",
    "email": "s@example.org",
    "phone": "+44 20 7946 0000",
    "subject": "The river",
}


def said(text: str = "", number: object = 1, chat: str = "c1", **fields) -> Incoming:
    return Incoming(channel="telegram", chat_id=chat, external_id=f"{chat}-{number}", text=text, hint="en", **fields)


@pytest.fixture
async def ticket(bot_desk, rasa) -> Ticket:
    await bot_desk.handle(said("hello there"))
    conversation = await Conversation.objects.aget(chat_id="c1")
    return await sync_to_async(tickets.open_ticket)(
        "press",
        conversation=conversation,
        language="en",
        words="May I film?",
        fields=dict(FIELDS),
        zone="Europe/London",
    )


async def test_by_its_number_it_is_closed_and_the_contact_is_erased_at_once(bot_desk, ticket) -> None:
    result = await bot_desk.handle(said(f"/withdraw {ticket.number.lower()}", number=2))
    assert f"{ticket.number} is withdrawn" in result.replies[0]["text"]
    await ticket.arefresh_from_db()
    assert (ticket.state, ticket.fields) == (State.CLOSED, {"outlet": "BBC", "subject": "The river"})
    assert ticket.withdrawn_at
    assert ticket.timezone == ""
    last = await ticket.events.order_by("-id").afirst()
    assert (last.type, last.actor_id) == (TicketEvent.Type.WITHDRAWN, None)
    # No "closed" notice beside the receipt, and nothing says it twice.
    assert await ticket.messages.acount() == 0


async def test_without_a_number_there_are_buttons(bot_desk, ticket) -> None:
    asked = await bot_desk.handle(said("/withdraw", number=2))
    [button] = asked.replies[0]["buttons"]
    assert button["label"] == f"{ticket.number} · press"
    result = await bot_desk.handle(said(number=3, button=button["id"]))
    assert f"{ticket.number} is withdrawn" in result.replies[0]["text"]
    none = await bot_desk.handle(said("/withdraw", number=4))
    assert none.replies[0]["text"] == "You have no open request."


async def test_somebody_elses_number_is_as_unknown_as_one_that_never_was(bot_desk, ticket) -> None:
    foreign = await bot_desk.handle(said(f"/withdraw {ticket.number}", chat="thief"))
    nonsense = await bot_desk.handle(said("/withdraw MT-1999-9999", number=2, chat="thief"))
    text = foreign.replies[0]["text"]
    assert text.replace(ticket.number, "MT-1999-9999") == nonsense.replies[0]["text"]
    assert (foreign.outcome, foreign.ticket) == (nonsense.outcome, nonsense.ticket)
    await ticket.arefresh_from_db()
    assert ticket.state == State.OPEN


async def test_asked_twice_it_says_the_same(bot_desk, ticket) -> None:
    first = await bot_desk.handle(said(f"/withdraw {ticket.number}", number=2))
    second = await bot_desk.handle(said(f"/withdraw {ticket.number}", number=3))
    assert first.replies[0]["text"] == second.replies[0]["text"]
    assert await ticket.events.filter(type=TicketEvent.Type.WITHDRAWN).acount() == 1


async def test_one_that_staff_have_closed_is_not_withdrawn(bot_desk, ticket, officer) -> None:
    await sync_to_async(tickets.close)(ticket, officer)
    result = await bot_desk.handle(said(f"/withdraw {ticket.number}", number=2))
    assert "no open request" in result.replies[0]["text"]
    assert (await Ticket.objects.aget()).withdrawn_at is None


async def test_an_answer_that_waits_for_its_release_never_goes_out(bot_desk, ticket, officer) -> None:
    await sync_to_async(answers.answer)(ticket, officer, "Yes, you may.", "Vâng.")
    await bot_desk.handle(said(f"/withdraw {ticket.number}", number=2))
    assert (await ticket.answers.aget()).state == AnswerState.RETURNED
    with pytest.raises(tickets.TicketError):
        await sync_to_async(tickets.reopen)(ticket, officer)


async def test_while_staff_have_the_conversation_it_works_and_gives_it_back(bot_desk, ticket, officer) -> None:
    await sync_to_async(tickets.take_over)(ticket, officer)
    result = await bot_desk.handle(said(f"/withdraw {ticket.number}", number=2))
    assert "withdrawn" in result.replies[0]["text"]
    assert (await Conversation.objects.aget()).handler == Handler.BOT


@pytest.mark.parametrize("language", CODES)
async def test_the_receipt_names_the_number_in_every_language(bot_desk, ticket, language) -> None:
    await bot_desk.handle(said(order=f"language:{language}", number=2))
    result = await bot_desk.handle(said(f"/withdraw {ticket.number}", number=3))
    assert ticket.number in result.replies[0]["text"]
    assert "/forget" in result.replies[0]["text"]
