"""The asker writes to the staff again: by the button under an answer, or under the notice that a ticket is closed."""

from __future__ import annotations

import datetime as dt

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from bot import store
from bot.models import Author, Button, Conversation, Message
from bot.store import Incoming
from desk import answers, assignments, tickets
from desk.models import State, Ticket, TicketEvent
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)


def said(text: str = "", number: object = 1, chat: str = "c1", **fields) -> Incoming:
    return Incoming(channel="telegram", chat_id=chat, external_id=f"{chat}-{number}", text=text, hint="en", **fields)


@pytest.fixture
async def ticket(bot_desk, rasa, officer) -> Ticket:
    await bot_desk.handle(said("hello there"))
    conversation = await Conversation.objects.aget(chat_id="c1")
    ticket = await sync_to_async(tickets.open_ticket)(
        "other", conversation=conversation, language="en", words="My lamp is broken."
    )
    await sync_to_async(answers.answer)(ticket, officer, "We will repair it.")
    return ticket


async def reply_button(ticket: Ticket) -> str:
    message = await Message.objects.filter(ticket=ticket).order_by("-id").afirst()
    [button] = message.payload["buttons"]
    assert button["label"] == "Reply to the staff"
    return button["id"]


def words_on(ticket: Ticket) -> list[str]:
    return list(ticket.events.filter(type=TicketEvent.Type.MESSAGE).values_list("text", flat=True))


async def test_the_words_after_the_button_go_to_the_ticket_and_the_next_ones_do_not(bot_desk, rasa, ticket) -> None:
    asked = await bot_desk.handle(said(number=2, button=await reply_button(ticket)))
    assert ticket.number in asked.replies[0]["text"]
    before = len(rasa.sent)
    told = await bot_desk.handle(said("It is the one at the corner.", number=3))
    assert (told.outcome, told.ticket) == ("handed_off", ticket.number)
    assert told.replies[0]["text"] == f"I have passed that to the staff with {ticket.number}."
    assert await sync_to_async(words_on)(ticket) == ["It is the one at the corner."]
    assert len(rasa.sent) == before
    await bot_desk.handle(said("When does the pagoda open?", number=4))
    assert len(rasa.sent) == before + 1
    await ticket.arefresh_from_db()
    assert ticket.state == State.CLAIMED  # somebody waits again


@pytest.mark.parametrize("way", ["/cancel", "button", "another button", "/mydata"])
async def test_it_can_be_left(bot_desk, rasa, memory, ticket, way) -> None:
    asked = await bot_desk.handle(said(number=2, button=await reply_button(ticket)))
    if way == "button":
        left = await bot_desk.handle(said(number=3, button=asked.replies[0]["buttons"][0]["id"]))
    elif way == "another button":
        conversation = await Conversation.objects.aget()
        other = await Button.objects.acreate(conversation=conversation, label="x", payload='/show_entry{"entry": "x"}')
        left = await bot_desk.handle(said(number=3, button=other.pk))
    else:
        left = await bot_desk.handle(said(way, number=3))
    if way in ("/cancel", "button"):
        assert left.replies[0]["text"] == "All right, nothing goes to the staff."
    await bot_desk.handle(said("When does the pagoda open?", number=4))
    assert rasa.sent[-1]["message"] == "When does the pagoda open?"
    assert await sync_to_async(words_on)(ticket) == []


async def test_closing_is_told_with_a_button_that_opens_it_again(bot_desk, ticket, officer) -> None:
    await sync_to_async(tickets.close)(ticket, officer)
    notice = await Message.objects.filter(author=Author.BOT, ticket=ticket).aget()
    assert ticket.number in notice.text
    assert "72" in notice.text
    await bot_desk.handle(said(number=2, button=await reply_button(ticket)))
    told = await bot_desk.handle(said("Still dark.", number=3))
    await ticket.arefresh_from_db()
    assert (told.ticket, ticket.state) == (ticket.number, State.CLAIMED)


async def test_after_three_days_a_linked_ticket_is_opened_and_its_number_told(bot_desk, ticket, officer) -> None:
    await sync_to_async(tickets.close)(ticket, officer)
    await Ticket.objects.filter(pk=ticket.pk).aupdate(closed_at=timezone.now() - dt.timedelta(hours=73))
    await bot_desk.handle(said(number=2, button=await reply_button(ticket)))
    told = await bot_desk.handle(said("Dark again.", number=3))
    new = await Ticket.objects.aget(previous=ticket)
    assert (told.ticket, new.words) == (new.number, "Dark again.")
    assert ticket.number in told.replies[0]["text"]
    assert new.number in told.replies[0]["text"]


async def test_merging_tells_the_number_that_goes_on(bot_desk, ticket, officer) -> None:
    conversation = await Conversation.objects.aget()
    into = await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language="en", words="Again")
    await sync_to_async(assignments.merge)(ticket, officer, into)
    notice = await Message.objects.filter(author=Author.BOT, ticket=ticket).aget()
    assert into.number in notice.text
    assert notice.payload["buttons"] == []
    first = await Message.objects.filter(ticket=ticket, author=Author.STAFF).aget()
    await bot_desk.handle(said(number=2, button=first.payload["buttons"][0]["id"]))
    assert (await bot_desk.handle(said("And more.", number=3))).ticket == into.number


async def test_the_button_of_another_chat_is_refused(bot_desk, ticket) -> None:
    refused = await bot_desk.handle(said(chat="thief", button=await reply_button(ticket)))
    assert refused.outcome == "refused"
    assert await Conversation.objects.filter(replying_to__isnull=False).acount() == 0


async def test_a_withdrawn_ticket_takes_no_more_words(bot_desk, ticket) -> None:
    button = await reply_button(ticket)
    await bot_desk.handle(said(f"/withdraw {ticket.number}", number=2))
    gone = await bot_desk.handle(said(number=3, button=button))
    assert "takes no more words" in gone.replies[0]["text"]


async def test_whoever_is_in_danger_gets_the_numbers_and_the_staff_the_words(bot_desk, ticket) -> None:
    await bot_desk.handle(said(number=2, button=await reply_button(ticket)))
    told = await bot_desk.handle(said("Help, the house is on fire!", number=3))
    assert told.outcome == "emergency"
    assert "114" in told.replies[0]["text"]
    assert await sync_to_async(words_on)(ticket) == ["Help, the house is on fire!"]


async def test_while_staff_have_the_conversation_the_words_go_to_the_ticket_that_was_meant(
    bot_desk, ticket, officer
) -> None:
    conversation = await Conversation.objects.aget()
    newer = await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language="en", words="New")
    await sync_to_async(tickets.take_over)(newer, officer)
    await bot_desk.handle(said(number=2, button=await reply_button(ticket)))
    await bot_desk.handle(said("About the lamp.", number=3))
    assert await sync_to_async(words_on)(ticket) == ["About the lamp."]
    assert await sync_to_async(words_on)(newer) == []


async def test_a_crash_before_the_turn_puts_the_words_on_the_ticket_once(bot_desk, rasa, ticket, monkeypatch) -> None:
    await bot_desk.handle(said(number=2, button=await reply_button(ticket)))

    class Killed(BaseException):
        pass

    def dies(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(store, "_finish", dies)
        with pytest.raises(Killed):
            await bot_desk.handle(said("At the corner.", number=3))
    for pk in await sync_to_async(store.unfinished)("telegram"):
        await bot_desk.work_off(await sync_to_async(store.read)(pk))
    assert await sync_to_async(words_on)(ticket) == ["At the corner."]
    assert await Message.objects.filter(text="At the corner.").acount() == 1


@pytest.mark.parametrize("language", CODES)
async def test_button_and_notice_speak_the_askers_language(bot_desk, officer, language) -> None:
    conversation = await Conversation.objects.acreate(channel="telegram", chat_id="x", language=language)
    ticket = await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language=language, words="…")
    await sync_to_async(answers.answer)(ticket, officer, "Xin chào.", "Xin chào.")
    await sync_to_async(tickets.close)(ticket, officer)
    labels = {m.payload["buttons"][0]["label"] async for m in Message.objects.all()}
    assert labels == {
        {
            "vi": "Trả lời cán bộ",
            "en": "Reply to the staff",
            "zh": "回复工作人员",
            "ko": "담당자에게 답장",
            "ja": "職員に返信",
            "fr": "Répondre au personnel",
            "ru": "Ответить сотруднику",
        }[language]
    }
