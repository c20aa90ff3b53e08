"""The one path of a message, with the dialogue engine and the search service behind it played by the test."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from bot import store
from bot.models import Button, Conversation, Delivery, Handler, Message, Outcome, Turn, Update, UpdateState
from bot.store import Incoming
from desk import tickets
from desk.models import Ticket, TicketEvent
from nlu.languages import CODES

pytestmark = pytest.mark.django_db(transaction=True)


def said(text: str = "", chat: str = "c1", number: object = 1, **fields) -> Incoming:
    return Incoming(channel="web", chat_id=chat, external_id=f"{chat}-{number}", text=text, **fields)


@sync_to_async
def turns() -> list[Turn]:
    return list(Turn.objects.order_by("id"))


async def test_an_answer_comes_from_the_database_with_source_date_and_place(bot_desk, rasa, pagoda) -> None:
    rasa.answers("pagoda-hours")
    result = await bot_desk.handle(said("빈짱 사원은 몇 시에 열어요?"))
    assert (result.outcome, result.language, result.form, result.ticket) == ("answered", "ko", None, None)
    [reply] = result.replies
    assert reply["text"] == "7:00–11:30, 13:30–17:30에 엽니다."
    assert (reply["entry"], reply["language"], reply["fallback"]) == ("pagoda-hours", "ko", False)
    assert (reply["source"]["title"], reply["verified_on"]) == ("Cổng thông tin", "2026-11-01")
    assert reply["place"]["latitude"] == 10.36
    [turn] = await turns()
    assert (turn.entry, turn.score, turn.degraded) == ("pagoda-hours", 0.93, False)


async def test_rasa_is_told_the_language_the_channel_and_the_field_it_waits_for(bot_desk, rasa) -> None:
    rasa.items = [
        {"text": "Which outlet?"},
        {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
    ]
    first = await bot_desk.handle(said("I would like an interview", chat="visitor"))
    await bot_desk.handle(said("The Guardian", chat="visitor", number=2))
    assert (first.form, first.outcome) == ("press", "form")
    assert rasa.sent[1]["metadata"] == {"language": "en", "requested": "press_outlet", "channel": "web"}
    conversation = await Conversation.objects.aget()
    assert rasa.sent[0]["sender"] == str(conversation.uuid)
    assert "visitor" not in str(rasa.sent)


async def test_a_call_for_a_person_that_rasa_took_for_a_question_opens_a_ticket(bot_desk, rasa) -> None:
    """What happens when the action server dies at the moment the form is begun."""
    rasa.items = [{"text": "Did you mean this?"}, {"custom": {"kind": "turn", "outcome": "clarify", "near": []}}]
    result = await bot_desk.handle(said("I want to talk to a person"))
    assert result.outcome == "handed_off"
    assert await Ticket.objects.acount() == 1


async def test_a_repeat_of_a_message_gives_the_same_reply_and_is_worked_off_once(
    bot_desk, rasa, pagoda
) -> None:
    rasa.answers("pagoda-hours")
    first = await bot_desk.handle(said("Chùa mở cửa lúc nào?"))
    again = await bot_desk.handle(said("Chùa mở cửa lúc nào?"))
    assert again == first
    assert len(rasa.sent) == 1
    assert len(await turns()) == 1


async def test_a_repeat_that_arrives_while_the_first_is_being_answered_waits_for_it(
    bot_desk, rasa, pagoda
) -> None:
    rasa.answers("pagoda-hours")
    rasa.during = lambda: asyncio.sleep(0.05)
    first, again = await asyncio.gather(*(bot_desk.handle(said("Chùa mở cửa lúc nào?")) for _ in range(2)))
    assert first == again
    assert len(rasa.sent) == 1


async def test_messages_of_one_chat_are_worked_off_in_order_and_chats_side_by_side(bot_desk, rasa) -> None:
    running: list[int] = []
    most = 0

    async def slow() -> None:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        await asyncio.sleep(0.02)
        running.pop()

    rasa.during = slow
    await asyncio.gather(*(bot_desk.handle(said(f"hello {n}", number=n)) for n in range(5)))
    assert most == 1
    assert [item["message"] for item in rasa.sent] == [f"hello {n}" for n in range(5)]
    await asyncio.gather(*(bot_desk.handle(said("hello", chat=f"other-{n}")) for n in range(5)))
    assert most > 1


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param([], id="an empty reply, which is how Rasa fails"),
        pytest.param([{"text": "half an answer"}], id="a reply without a turn"),
        pytest.param(httpx.ReadTimeout("late"), id="a time-out"),
        pytest.param(httpx.ConnectError("refused"), id="nobody listens"),
    ],
)
async def test_when_rasa_fails_the_search_service_answers(bot_desk, rasa, search, pagoda, failure) -> None:
    if isinstance(failure, Exception):
        rasa.error = failure
    else:
        rasa.items = failure
    search.found = {
        "outcome": "answered",
        "entry": "pagoda-hours",
        "entry_language": "en",
        "score": 0.9,
        "near": [],
        "query_language": "en",
        "revision": 1,
    }
    result = await bot_desk.handle(said("When does the pagoda open?"))
    assert result.outcome == "answered"
    assert result.replies[0]["text"] == "Open 7:00–11:30 and 13:30–17:30."
    assert search.asked[0] == {"text": "When does the pagoda open?", "language": "en", "top_k": 5}
    [turn] = await turns()
    assert turn.degraded


@pytest.mark.parametrize("outcome", ["clarify", "not_known"])
async def test_without_rasa_near_misses_become_buttons_that_answer(
    bot_desk, rasa, search, pagoda, outcome
) -> None:
    rasa.items = []
    near = {"entry": "pagoda-hours", "language": "en", "question": "When does the pagoda open?", "score": 0.3}
    search.found = {
        "outcome": outcome,
        "entry": None,
        "entry_language": None,
        "score": 0.3,
        "near": [near, near],
    }
    result = await bot_desk.handle(said("Is there something to see?"))
    assert result.outcome == outcome
    labels = [button["label"] for button in result.replies[0]["buttons"]]
    assert labels == ["When does the pagoda open?", "Talk to a person"]
    pressed = await bot_desk.handle(said(number=2, button=result.replies[0]["buttons"][0]["id"]))
    assert (pressed.outcome, pressed.replies[0]["entry"]) == ("answered", "pagoda-hours")


async def test_without_rasa_and_search_the_person_is_told_and_can_still_reach_a_person(
    bot_desk, rasa
) -> None:
    rasa.items = []
    result = await bot_desk.handle(said("When does the pagoda open?"))
    assert result.outcome == "failed"
    assert "113, 114, 115" in result.replies[0]["text"]
    [button] = result.replies[0]["buttons"]
    handed = await bot_desk.handle(said(number=2, button=button["id"]))
    assert handed.outcome == "handed_off"
    ticket = await Ticket.objects.aget(number=handed.ticket)
    assert ticket.words == "When does the pagoda open?"
    assert handed.ticket in handed.replies[0]["text"]


async def test_without_rasa_a_journalist_gets_a_press_ticket_with_their_own_words(
    bot_desk, rasa, pagoda
) -> None:
    rasa.items = []
    words = "I am a journalist from Reuters and request an interview with the mayor"
    result = await bot_desk.handle(said(words))
    ticket = await Ticket.objects.aget(number=result.ticket)
    assert (ticket.kind, ticket.words, ticket.language) == ("press", words, "en")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", "Cứu tôi với, cháy nhà!"),
        ("en", "Help, there is a fire!"),
        ("ko", "불이 났어요! 도와주세요"),
        ("zh", "救命！着火了"),
    ],
)
async def test_without_rasa_an_emergency_gets_the_numbers_at_once(bot_desk, rasa, language, words) -> None:
    rasa.items = []
    result = await bot_desk.handle(said(words))
    assert (result.outcome, result.language) == ("emergency", language)
    assert all(number in result.replies[0]["text"] for number in ("113", "114", "115"))


async def test_a_reply_computed_while_staff_took_over_is_dropped(bot_desk, rasa, pagoda) -> None:
    user = await sync_to_async(get_user_model().objects.create_user)("press")
    await bot_desk.handle(said("hello"))
    ticket = await sync_to_async(
        lambda: tickets.open_ticket(
            "other", conversation=Conversation.objects.get(), language="en", words="w"
        )
    )()
    rasa.answers("pagoda-hours")

    async def take_over() -> None:
        await sync_to_async(tickets.take_over)(ticket, user)

    rasa.during = take_over
    result = await bot_desk.handle(said("When does the pagoda open?", number=2))
    assert (result.outcome, result.replies) == ("handed_off", [])
    # The message itself is kept.
    assert await Message.objects.filter(author="user", text="When does the pagoda open?").acount() == 1


async def test_a_message_that_raced_with_a_take_over_stands_on_the_ticket(bot_desk, rasa) -> None:
    user = await sync_to_async(get_user_model().objects.create_user)("press")
    await bot_desk.handle(said("hello"))
    ticket = await sync_to_async(
        lambda: tickets.open_ticket(
            "other", conversation=Conversation.objects.get(), language="en", words="w"
        )
    )()
    rasa.during = lambda: sync_to_async(tickets.take_over)(ticket, user)
    await bot_desk.handle(said("and one more thing", number=2))
    assert (
        await TicketEvent.objects.filter(ticket=ticket, type="message", text="and one more thing").acount()
        == 1
    )


async def test_while_staff_have_the_conversation_the_bot_is_silent_and_the_ticket_grows(
    bot_desk, rasa
) -> None:
    user = await sync_to_async(get_user_model().objects.create_user)("press")
    await bot_desk.handle(said("hello"))
    ticket = await sync_to_async(
        lambda: tickets.open_ticket(
            "other", conversation=Conversation.objects.get(), language="en", words="w"
        )
    )()
    await sync_to_async(tickets.take_over)(ticket, user)
    silent = await bot_desk.handle(said("are you there?", number=2))
    assert (silent.outcome, silent.replies, silent.ticket) == ("handed_off", [], ticket.number)
    assert len(rasa.sent) == 1
    assert (
        await TicketEvent.objects.filter(ticket=ticket, type="message", text="are you there?").acount() == 1
    )
    await sync_to_async(tickets.give_back)(ticket, user)
    assert (await bot_desk.handle(said("hello again", number=3))).outcome == "small_talk"


async def test_an_unknown_button_is_refused_politely_and_leaves_the_form_open(bot_desk, rasa) -> None:
    rasa.items = [
        {"text": "Which outlet?"},
        {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
    ]
    await bot_desk.handle(said("I would like an interview"))
    result = await bot_desk.handle(said(number=2, button="b-no-such"))
    assert (result.outcome, result.form) == ("refused", "press")
    assert result.replies[0]["text"] == "That button no longer works. Please write your question."
    assert (await Conversation.objects.aget()).requested == "press_outlet"
    assert len(rasa.sent) == 1


async def test_something_we_cannot_read_leaves_the_form_open(bot_desk, rasa) -> None:
    rasa.items = [
        {"text": "Which outlet?"},
        {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
    ]
    await bot_desk.handle(said("I would like an interview"))
    result = await bot_desk.handle(said(number=2, media="attachment"))
    assert (result.outcome, result.form) == ("refused", "press")
    assert "only read text" in result.replies[0]["text"]


async def test_a_button_of_another_conversation_does_not_work(bot_desk, rasa) -> None:
    await bot_desk.handle(said("hello"))
    conversation = await Conversation.objects.aget()
    button = await Button.objects.acreate(
        conversation=conversation, label="x", payload='/show_entry{"entry": "x"}'
    )
    assert (await bot_desk.handle(said(chat="somebody else", button=button.id))).outcome == "refused"
    assert (await bot_desk.handle(said(number=2, button=button.id))).outcome != "refused"


async def test_a_pressed_button_reaches_rasa_as_an_order_with_the_language(bot_desk, rasa) -> None:
    await bot_desk.handle(said("bonjour, je voudrais une information"))
    conversation = await Conversation.objects.aget()
    button = await Button.objects.acreate(
        conversation=conversation, label="x", payload='/show_entry{"entry": "x"}'
    )
    await bot_desk.handle(said(number=2, button=button.id))
    assert rasa.sent[1]["message"] == '/show_entry{"language": "fr", "entry": "x"}'


@pytest.mark.parametrize(
    "typed",
    ["/restart", '/handoff@1.0{"kind":"press"}', "//restart", " /restart", "\u200b/restart", "\x00/restart"],
)
async def test_a_typed_order_reaches_rasa_without_its_slash(bot_desk, rasa, typed) -> None:
    await bot_desk.handle(said(typed))
    assert not rasa.sent[0]["message"].startswith("/")
    assert "restart" in rasa.sent[0]["message"] or "handoff" in rasa.sent[0]["message"]


@pytest.mark.parametrize("typed", ["", "   ", "🙂🙂", "?!", "\u200b\u200e", "\x00\x07", "/"])
async def test_a_message_without_a_letter_is_asked_for_words(bot_desk, rasa, typed) -> None:
    result = await bot_desk.handle(said(typed, hint="fr"))
    assert (result.outcome, result.language) == ("refused", "fr")
    assert "Écrivez quelques mots" in result.replies[0]["text"]
    assert rasa.sent == []


async def test_a_text_of_5000_characters_is_cut_and_its_writer_told(bot_desk, rasa) -> None:
    result = await bot_desk.handle(said("where is the pagoda " * 250))
    assert "1000" in result.replies[0]["text"]
    assert len(rasa.sent[0]["message"]) <= 1000


@pytest.mark.parametrize("language", CODES)
async def test_a_chosen_language_stays_whatever_is_typed(bot_desk, rasa, language) -> None:
    chosen = await bot_desk.handle(said(order=f"language:{language}"))
    assert chosen.language == language
    later = await bot_desk.handle(said("When does the pagoda open in the morning?", number=2))
    assert later.language == language
    assert rasa.sent[0]["metadata"]["language"] == language
    assert await Conversation.objects.filter(language=language, language_chosen=True).acount() == 1


async def test_the_language_menu_offers_all_seven_and_its_buttons_choose(bot_desk, rasa) -> None:
    menu = await bot_desk.handle(said(order="language"))
    assert len(menu.replies[0]["buttons"]) == len(CODES)
    button = next(each for each in menu.replies[0]["buttons"] if each["label"] == "日本語")
    assert (await bot_desk.handle(said(number=2, button=button["id"]))).language == "ja"
    assert rasa.sent == []


async def test_an_entry_withdrawn_between_search_and_send_is_not_sent(bot_desk, rasa, pagoda) -> None:
    rasa.answers("pagoda-hours")

    async def withdraw() -> None:
        pagoda.live = False
        await pagoda.asave()

    rasa.during = withdraw
    result = await bot_desk.handle(said("When does the pagoda open?"))
    [reply] = result.replies
    assert (reply["entry"], reply["source"]) == (None, None)
    assert "withdrawn" in reply["text"]
    assert [button["label"] for button in reply["buttons"]] == ["Talk to a person"]


async def test_an_answer_in_another_language_says_so(bot_desk, rasa, pagoda) -> None:
    rasa.answers("pagoda-hours")
    [reply] = (await bot_desk.handle(said("À quelle heure ouvre la pagode ?"))).replies
    assert (reply["language"], reply["fallback"]) == ("en", True)


async def test_whatever_breaks_inside_the_person_is_told_and_the_message_is_kept(bot_desk, rasa) -> None:
    rasa.items = [{"custom": {"kind": "turn", "outcome": "no such outcome"}}]
    result = await bot_desk.handle(said("hello there"))
    assert result.outcome == "failed"
    assert "113, 114, 115" in result.replies[0]["text"]
    assert await Message.objects.filter(author="user", text="hello there").acount() == 1


async def test_a_message_left_over_by_a_crash_is_answered_after_the_restart(bot_desk, rasa) -> None:
    update, new = await sync_to_async(store.receive)(said("hello"))
    assert new
    assert await sync_to_async(store.unfinished)("web") == [update.pk]
    await bot_desk.work_off(await sync_to_async(store.read)(update.pk))
    assert await sync_to_async(store.unfinished)("web") == []
    waiting = await sync_to_async(store.waiting)("web", "c1", 0)
    assert [reply["text"] for reply in waiting] == ["Xin chào!"]
    assert (await Message.objects.aget(author="bot")).state == Delivery.DELIVERED


async def test_every_message_ends_in_exactly_one_outcome(bot_desk, rasa) -> None:
    for number, text in enumerate(["hello", "", "/restart", "x" * 5000, "🙂"]):
        await bot_desk.handle(said(text, number=number))
    assert await Update.objects.filter(state=UpdateState.DONE).acount() == 5
    assert {turn.outcome for turn in await turns()} <= set(Outcome.values)
    assert await Turn.objects.acount() == 5


async def test_a_conversation_starts_with_the_bot_as_its_handler(bot_desk, rasa) -> None:
    await bot_desk.handle(said("hello"))
    assert (await Conversation.objects.aget()).handler == Handler.BOT


async def test_a_ticket_whose_turn_was_lost_is_told_and_not_opened_again(bot_desk, rasa) -> None:
    """The action server stored it, then the engine died: the number is told, and the words open no second one."""

    async def opens_a_ticket_and_dies() -> None:
        conversation = await Conversation.objects.aget()
        words = "My lamp is broken."
        await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language="en", words=words)
        raise httpx.ReadError("connection lost")

    rasa.during = opens_a_ticket_and_dies
    result = await bot_desk.handle(said("My lamp is broken."))
    [ticket] = [each async for each in Ticket.objects.all()]
    assert (result.outcome, result.ticket) == ("handed_off", ticket.number)
    assert ticket.number in result.replies[0]["text"]
    rasa.during = None
    assert (await bot_desk.handle(said("When does the pagoda open?", number=2))).ticket is None


async def test_an_edit_is_shown_as_one_to_the_person_who_has_the_conversation(bot_desk) -> None:
    await bot_desk.handle(said("hello"))
    conversation = await Conversation.objects.aget()
    ticket = await sync_to_async(tickets.open_ticket)("other", conversation=conversation, language="en", words="x")
    await Conversation.objects.aupdate(handler=Handler.STAFF)
    await bot_desk.handle(said("I meant Tuesday", number=2, edited=True))
    assert (await ticket.events.alast()).text == "✏️ I meant Tuesday"
