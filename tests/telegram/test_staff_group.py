"""The staff group on Telegram: topics, notes, answers, claims, and what is never said there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone
from telegram.error import NetworkError, TimedOut

from bot.models import Author, Conversation, Delivery, Message
from bot.outbox import edited, settle_edit
from bot.staff_group import words
from bot.staff_group.posting import Poster
from bot.telegram.channel import TelegramChannel
from bot.telegram.sender import TelegramSender
from desk import answers, tickets
from desk.models import Answer, Colleague, Post, PostState, State, Ticket, TicketEvent, Topic

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PRESS = -1001, -1002


@pytest.fixture(autouse=True)
def groups(settings) -> None:
    settings.STAFF_CHAT_ID, settings.STAFF_PRESS_CHAT_ID = DESK, PRESS


@pytest.fixture
def colleague(transactional_db):
    def make(name: str, telegram_id: int, *permissions: str) -> Any:
        user = get_user_model().objects.create_user(name, f"{name}@example.org", "a-long-password")
        for each in permissions:
            user.user_permissions.add(Permission.objects.get(content_type__app_label="desk", codename=each))
        Colleague.objects.create(user=user, telegram_id=telegram_id)
        return user

    return make


@pytest.fixture
def lan(colleague):
    return colleague("lan", 11, "work_tickets", "work_press", "release_answer")


@pytest.fixture
def minh(colleague):
    return colleague("minh", 12, "work_tickets", "work_press", "release_answer")


@pytest.fixture
def asker(transactional_db) -> Conversation:
    return Conversation.objects.create(channel="telegram", chat_id="77", language="en")


@pytest.fixture
def lamp(asker) -> Ticket:
    return tickets.open_ticket("complaint", conversation=asker, language="en", words="The lamp is broken.")


@pytest.fixture
def interview(asker) -> Ticket:
    return tickets.open_ticket("press", conversation=asker, language="en", words="An interview, please.")


@pytest.fixture
def poster(application) -> Poster:
    return Poster(application.bot)


class Group:
    """What the test's people do in the group."""

    def __init__(self, channel: TelegramChannel) -> None:
        self.channel, self.number = channel, 9000

    async def write(self, ticket: Ticket, sender: int, text: str, *, edits: int | None = None) -> int:
        topic = await Topic.objects.aget(ticket=ticket)
        self.number += 1
        message_id = edits or self.number
        message = {
            "message_id": message_id,
            "date": 1795390000,
            "message_thread_id": topic.thread_id,
            "is_topic_message": True,
            "chat": {"id": topic.chat_id, "type": "supergroup", "title": "Desk", "is_forum": True},
            "from": {"id": sender, "is_bot": False, "first_name": "X"},
            "text": text,
        }
        kind = "edited_message" if edits else "message"
        if edits:
            message["edit_date"] = 1795390010
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        await self.channel.take({"update_id": self.number, kind: message})
        return message_id

    async def press(self, ticket: Ticket, sender: int, data: str) -> None:
        topic = await Topic.objects.aget(ticket=ticket)
        self.number += 1
        chat = {"id": topic.chat_id, "type": "supergroup", "title": "Desk"}
        query = {
            "id": str(self.number),
            "chat_instance": "1",
            "data": data,
            "from": {"id": sender, "is_bot": False, "first_name": "X"},
            "message": {"message_id": 1, "date": 1795390000, "chat": chat},
        }
        await self.channel.take({"update_id": self.number, "callback_query": query})


@pytest.fixture
def group(channel) -> Group:
    return Group(channel)


@pytest.fixture
def channel(settings, groups, application, transactional_db):
    """The channel over an application that was built with the groups turned on."""
    from bot.conversation import Desk
    from bot.dialogue import Dialogue
    from bot.outbox import Outbox
    from knowledge.client import SearchClient

    return TelegramChannel(application, Desk(Dialogue("http://x", 1), SearchClient("http://x", 1)), Outbox(0.02))


def posts(request_) -> list[str]:
    return [call["text"] for call in request_.sent()]


async def test_a_ticket_gets_a_topic_without_what_it_is_about_in_the_name(poster, request_, lamp) -> None:
    await poster.round()
    await poster.round()
    [made] = request_.sent("createForumTopic")
    assert (int(made["chat_id"]), made["name"].startswith(lamp.number)) == (DESK, True)
    assert "lamp" not in made["name"]
    [header] = request_.sent()
    assert "The lamp is broken." in header["text"]
    assert f"s:claim:{lamp.pk}" in str(header["reply_markup"])
    assert int(header["message_thread_id"]) == (await Topic.objects.aget()).thread_id


async def test_a_press_ticket_goes_to_its_own_group_and_nowhere_without_one(
    poster, request_, interview, settings
) -> None:
    settings.STAFF_PRESS_CHAT_ID = 0
    await poster.round()
    assert request_.calls == []
    settings.STAFF_PRESS_CHAT_ID = PRESS
    await poster.round()
    assert {int(call["chat_id"]) for call in request_.sent()} == {PRESS}


async def test_a_plain_message_is_a_note_that_stays_inside_and_is_not_posted_back(
    poster, request_, group, lan, lamp
) -> None:
    await poster.round()
    await group.write(lamp, 11, "Đã gọi điện lực.")
    await poster.round()
    line = await lamp.events.alast()
    assert (line.type, line.text, line.actor_id) == (TicketEvent.Type.NOTE, "Đã gọi điện lực.", lan.pk)
    assert not await Message.objects.filter(author=Author.STAFF).aexists()
    assert len(posts(request_)) == 1


async def test_an_answer_reaches_the_asker_and_its_delivery_is_told(poster, request_, group, lan, lamp) -> None:
    await poster.round()
    await group.write(lamp, 11, "/a It will be mended.\n---\nSẽ sửa.")
    written = await Answer.objects.select_related("message").aget()
    assert (written.text, written.text_vi, written.message.state) == ("It will be mended.", "Sẽ sửa.", Delivery.QUEUED)
    await Message.objects.filter(pk=written.message_id).aupdate(state=Delivery.BLOCKED)
    await poster.round()
    await poster.round()
    assert posts(request_)[-1] == words.DELIVERIES[Delivery.BLOCKED]
    assert posts(request_).count(words.DELIVERIES[Delivery.BLOCKED]) == 1


async def test_a_press_answer_is_proposed_by_one_and_released_by_another(
    poster, request_, group, lan, minh, interview
) -> None:
    await poster.round()
    await group.write(interview, 11, "/a On Monday.")
    await poster.round()
    assert "Vietnamese text" in posts(request_)[-1], "it is said that the Vietnamese text is missing"
    await group.write(interview, 11, "/a On Monday.\n---\nThứ hai.")
    await poster.round()
    written = await Answer.objects.aget()
    assert f"s:release:{written.pk}" in str(request_.sent()[-1]["reply_markup"])
    assert "Thứ hai." in posts(request_)[-1]
    await group.press(interview, 11, f"s:release:{written.pk}")
    assert "second person" in request_.sent("answerCallbackQuery")[-1]["text"]
    assert not await Message.objects.filter(author=Author.STAFF).aexists()
    await group.press(interview, 12, f"s:release:{written.pk}")
    assert (await Message.objects.aget(author=Author.STAFF)).text == "On Monday."


async def test_a_proposed_answer_is_sent_back_with_a_reason(poster, group, lan, minh, interview) -> None:
    await poster.round()
    await group.write(interview, 11, "/a On Monday.\n---\nThứ hai.")
    await group.write(interview, 12, "/r Thiếu giờ.")
    written = await Answer.objects.aget()
    assert (written.state, written.reason) == ("returned", "Thiếu giờ.")


@pytest.mark.parametrize("where", ["group", "console"])
async def test_a_claim_is_shown_to_all_and_its_button_goes(poster, request_, group, lan, lamp, where) -> None:
    await poster.round()
    if where == "group":
        await group.press(lamp, 11, f"s:claim:{lamp.pk}")
    else:
        await sync_to_async(tickets.claim)(lamp, lan)
    await poster.round()
    await poster.round()
    [edit] = request_.sent("editMessageText")
    assert "Holder: lan" in edit["text"]
    assert "reply_markup" not in edit
    await lamp.arefresh_from_db()
    assert (lamp.claimed_by_id, lamp.state) == (lan.pk, State.CLAIMED)


async def test_a_stranger_in_the_group_counts_for_nothing_and_is_told_once(poster, request_, group, lamp) -> None:
    await poster.round()
    before = await lamp.events.acount()
    await group.write(lamp, 666, "/a Pay me.")
    await poster.round()
    assert "666" in posts(request_)[-1]
    assert await lamp.events.acount() == before
    assert not await Answer.objects.aexists()
    await group.press(lamp, 666, f"s:claim:{lamp.pk}")
    assert "666" in request_.sent("answerCallbackQuery")[-1]["text"]
    await lamp.arefresh_from_db()
    assert lamp.claimed_by_id is None


async def test_a_desk_officer_may_do_nothing_with_a_press_ticket(poster, request_, group, colleague, interview) -> None:
    await sync_to_async(colleague)("desk", 13, "work_tickets")
    await poster.round()
    await group.write(interview, 13, "/a Hello.\n---\nChào.")
    await poster.round()
    assert posts(request_)[-1].endswith(words.NOT_YOURS)
    assert not await Answer.objects.aexists()


async def test_a_deleted_topic_is_made_again_with_its_header(poster, request_, group, lan, lamp, asker) -> None:
    await poster.round()
    await sync_to_async(tickets.record_message)(lamp, "It is dark.")
    request_.fail("sendMessage", 400, "Bad Request: message thread not found")
    await poster.round()
    assert len(request_.sent("createForumTopic")) == 2
    assert [text[:2] for text in posts(request_)[-2:]] == [f"{lamp.number}"[:2], "💬 "[:2]]
    assert "It is dark." in posts(request_)[-1]
    assert not await Post.objects.exclude(state=PostState.SENT).aexists()


async def test_telegram_asking_to_wait_and_a_lost_confirmation(poster, request_, lamp) -> None:
    request_.fail("sendMessage", 429, "Too Many Requests", retry_after=30)
    await poster.round()
    post = await Post.objects.aget()
    assert post.state == PostState.QUEUED
    assert post.not_before > timezone.now() + dt.timedelta(seconds=25)
    await Post.objects.aupdate(not_before=None)
    request_.break_off("sendMessage", TimedOut())
    await poster.round()
    await poster.round()
    assert (await Post.objects.aget()).state == PostState.UNCERTAIN
    assert len(request_.sent()) == 2, "what may have arrived is not sent again"


async def test_a_group_that_cannot_be_reached_keeps_its_posts(poster, request_, lamp) -> None:
    import httpx

    for _ in range(2):
        request_.break_off("createForumTopic", NetworkError("down"), httpx.ConnectError("refused"))
        await poster.round()
        await Post.objects.aupdate(not_before=None)
    await poster.round()
    assert len(request_.sent()) == 1


async def test_what_a_crash_left_half_sent_is_not_sent_again(poster, request_, lamp) -> None:
    await poster.round()
    await sync_to_async(tickets.record_message)(lamp, "It is dark.")
    from bot.staff_group import feed

    await sync_to_async(feed.fill)()
    await Post.objects.filter(state=PostState.QUEUED).aupdate(
        state=PostState.SENDING, not_before=timezone.now() - dt.timedelta(seconds=1)
    )
    await poster.round()
    assert (await Post.objects.alast()).state == PostState.UNCERTAIN
    assert len(request_.sent()) == 1


async def test_the_same_update_twice_is_one_note(poster, group, lan, lamp) -> None:
    await poster.round()
    number = await group.write(lamp, 11, "x")
    group.number = number - 1
    await group.write(lamp, 11, "x")
    assert await lamp.events.filter(type=TicketEvent.Type.NOTE).acount() == 1


async def test_an_edit_in_the_group_changes_what_the_asker_sees(
    poster, request_, application, group, lan, lamp
) -> None:
    await poster.round()
    number = await group.write(lamp, 11, "/a It will be mended on Monday.\n---\nThứ hai.")
    await Message.objects.filter(author=Author.STAFF).aupdate(
        state=Delivery.DELIVERED, sent_at=timezone.now(), external_id="321"
    )
    await group.write(lamp, 11, "/a It will be mended on Tuesday.\n---\nThứ ba.", edits=number)
    sender = TelegramSender(application.bot)
    for _ in range(2):
        for message in await sync_to_async(edited)("telegram"):
            await sync_to_async(settle_edit)(message, await sender.edit(message))
    [edit] = request_.sent("editMessageText")
    assert (int(edit["message_id"]), "on Tuesday" in edit["text"]) == (321, True)
    lines = [
        line.text async for line in lamp.events.filter(type__in=(TicketEvent.Type.ANSWER, TicketEvent.Type.EDITED))
    ]
    assert lines == ["It will be mended on Monday.", "It will be mended on Tuesday."]


async def test_a_released_press_answer_is_not_edited_by_one_person(lan, minh, interview) -> None:
    written = await sync_to_async(answers.answer)(interview, lan, "On Monday.", "Thứ hai.")
    await sync_to_async(answers.release)(written, minh)
    with pytest.raises(tickets.TicketError, match="send a correction"):
        await sync_to_async(answers.edit)(written, lan, "On Tuesday.", "Thứ ba.")


async def test_what_staff_write_never_reaches_the_machine(poster, group, lan, lamp) -> None:
    await poster.round()
    await group.write(lamp, 11, "When does the pagoda open?")
    await group.write(lamp, 11, "/start")
    assert not await Conversation.objects.filter(chat_id=str(DESK)).aexists()


async def test_the_askers_words_and_files_stand_in_the_topic(poster, request_, lamp) -> None:
    await poster.round()
    await sync_to_async(tickets.record_message)(lamp, "It is <b>dark</b>.")
    await poster.round()
    assert posts(request_)[-1].endswith("It is <b>dark</b>.")
    assert "parse_mode" not in request_.sent()[-1]
