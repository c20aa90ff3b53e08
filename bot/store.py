"""Everything `bot` writes to the database, one transaction a function, called from a worker thread.

The gate stands here: replies are stored only if nobody has taken the conversation over since they were computed,
and an entry is read again in the same transaction, so that what was withdrawn meanwhile is never sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from bot import feedback
from bot.errors import UnknownButton
from bot.models import Author, Button, Conversation, Delivery, Handler, Message, Outcome, Turn, Update, UpdateState
from bot.pauses import notice
from bot.replies import OWN, Choice, Draft, Ending, human_choice, payload
from bot.texts import say
from desk.files import clean_name
from desk.models import Ticket, TicketFile
from desk.pauses import active
from desk.tickets import record_message
from knowledge.answers import load_answer, load_questions
from nlu.languages import DEFAULT

# Channels whose reader fetches replies over the open request; the others are delivered by the outbox.
FETCHED = ("web", "terminal")


@dataclass(frozen=True)
class Incoming:
    """One thing that came in on a channel."""

    channel: str
    chat_id: str
    external_id: str
    text: str = ""
    button: str | None = None
    order: str | None = None  # an order of our own (a command), never something a person typed
    language: str | None = None  # chosen explicitly with this message
    hint: str | None = None  # what the client says its language is
    media: str | None = None
    file: SentFile | None = None
    edited: bool = False  # a message written before, in new words


@dataclass(frozen=True)
class SentFile:
    """A file that came with a message: stored already (`id`, on the web), or still at its channel (`external_id`)."""

    id: int | None = None
    external_id: str = ""
    name: str = ""
    size: int = 0


@dataclass(frozen=True)
class Result:
    """What one message led to, as the JSON API shows it."""

    outcome: str
    language: str
    form: str | None
    ticket: str | None
    replies: list[dict[str, Any]]


def storable(text: str) -> str:
    """Return a text that every database takes: no NUL (PostgreSQL refuses it), no half of a surrogate pair."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")


def receive(incoming: Incoming) -> tuple[Update, bool]:
    """Store an update before it is acknowledged; return it, with its conversation, and whether it is new."""
    conversation, _ = Conversation.objects.get_or_create(channel=incoming.channel, chat_id=incoming.chat_id)
    stored = {
        name: storable(getattr(incoming, name))
        for name in ("text", "button", "order", "language", "hint", "media")
        if getattr(incoming, name)
    }
    if incoming.edited:
        stored["edited"] = True
    try:
        with transaction.atomic():
            update = Update.objects.create(
                channel=incoming.channel, external_id=incoming.external_id, conversation=conversation, payload=stored
            )
            if incoming.file:
                update.payload["file"] = incoming.file.id or _announce(conversation, incoming.file)
                update.save(update_fields=["payload"])
        return update, True
    except IntegrityError:
        known = Update.objects.select_related("conversation").get(
            channel=incoming.channel, external_id=incoming.external_id
        )
        return known, False


def _announce(conversation: Conversation, sent: SentFile) -> int:
    """Note a file before it is fetched: a crash between must not lose it."""
    file = TicketFile.objects.create(
        conversation=conversation, name=clean_name(sent.name), external_id=sent.external_id[:250], size=sent.size
    )
    return file.pk


def read(update_id: int) -> Update:
    """Return an update with its conversation as they are now."""
    return Update.objects.select_related("conversation").get(pk=update_id)


def unfinished(channel: str | None = None) -> list[int]:
    """Return the ids of updates that were received but not worked off (a crash between), oldest first."""
    rows = Update.objects.filter(state=UpdateState.RECEIVED)
    if channel:
        rows = rows.filter(channel=channel)
    return list(rows.order_by("id").values_list("id", flat=True))


def ticket_opened_by(update: Update) -> str:
    """Return the number of a ticket that this update opened before a crash lost the turn, "" when there is none.

    Between the ticket and the turn lie two processes: when one of them dies there, the message is worked off again, and
    must neither open a second ticket nor leave its sender without the number of the first.
    """
    opened = Ticket.objects.filter(conversation_id=update.conversation_id, created_at__gte=update.received_at)
    for number in opened.order_by("id").values_list("number", flat=True):
        if not Turn.objects.filter(conversation_id=update.conversation_id, ticket=number).exists():
            return number
    return ""


def order_of(conversation: Conversation, button_id: str) -> str:
    """Return the order behind a button of this conversation; raises UnknownButton."""
    found = Button.objects.filter(pk=button_id[:20], conversation=conversation).values_list("payload", flat=True)
    for order in found:
        return order
    raise UnknownButton(button_id[:20])


def hear_for_staff(update: Update, text: str) -> Result | None:
    """If a person has the conversation, put the message on their ticket and say nothing; None when it is not so."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get(pk=update.conversation_id)
        if conversation.handler != Handler.STAFF:
            return None
        _record_incoming(conversation, text)
        ending = Ending(outcome=Outcome.HANDED_OFF, ticket=_put_on_ticket(conversation, text))
        turn = _finish(update, conversation, text, conversation.language or DEFAULT, ending, None)
        return _result(turn, conversation, [])


def _put_on_ticket(conversation: Conversation, text: str) -> str:
    """Record a message on the conversation's open ticket and return its number ("" without one)."""
    ticket = conversation.tickets.exclude(state="closed").order_by("-id").first()
    if ticket is None:
        return ""
    if text:  # a pressed button says nothing to a person
        record_message(ticket, text)
    return ticket.number


def _record_incoming(conversation: Conversation, text: str) -> None:
    Message.objects.create(
        conversation=conversation, author=Author.USER, text=text, state=Delivery.DELIVERED, sent_at=timezone.now()
    )


def commit_turn(
    update: Update, epoch: int, text: str, language: str, drafts: list[Draft], ending: Ending,
    milliseconds: float | None = None, *, fetched: bool = False,
) -> Result:
    """Store how a message ended and what is said to it; drop what is said if a person has taken over meanwhile.

    Answers are read here, in the transaction that queues them: an entry withdrawn since the search is replaced by
    a sentence that says so. A person's own data are told and erased whoever has the conversation (intent `OWN`).
    With `fetched`, somebody waits for this very result: its replies count as delivered.
    """
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get(pk=update.conversation_id)
        _record_incoming(conversation, text)
        taken = conversation.epoch != epoch or conversation.handler == Handler.STAFF
        silenced = taken and ending.intent != OWN
        if ending.language:
            conversation.language, conversation.language_chosen = ending.language, True
        else:
            conversation.language = language
        conversation.form, conversation.requested = ending.form, ending.requested
        conversation.unreachable = False
        conversation.save()
        if silenced:
            ending.outcome = Outcome.HANDED_OFF
            if conversation.handler == Handler.STAFF:
                ending.ticket = ending.ticket or _put_on_ticket(conversation, text)
        turn = _finish(update, conversation, text, language, ending, milliseconds)
        state = Delivery.DELIVERED if fetched else Delivery.QUEUED
        messages = [
            _queue(conversation, turn, draft, ending.language or language, state)
            for draft in ([] if silenced else drafts)
        ]
    return _result(turn, conversation, messages)


def _finish(
    update: Update, conversation: Conversation, text: str, language: str, ending: Ending, milliseconds: float | None
) -> Turn:
    turn = Turn.objects.create(
        conversation=conversation, update_row=update, text=text, language=language, outcome=ending.outcome,
        intent=ending.intent, entry=ending.entry, entry_language=ending.entry_language, score=ending.score,
        near=ending.near, ticket=ending.ticket, degraded=ending.degraded, milliseconds=milliseconds,
    )
    Update.objects.filter(pk=update.pk).update(state=UpdateState.DONE, done_at=timezone.now())
    return turn


def say_unasked(turn: Turn, drafts: list[Draft], language: str) -> bool:
    """Queue what the asker of a turn wanted to be told later, once; not while staff have the conversation."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().get(pk=turn.conversation_id)
        waiting = Turn.objects.filter(pk=turn.pk, told_at=None)
        if conversation.handler == Handler.STAFF or not waiting.update(told_at=timezone.now()):
            return False
        for draft in drafts:
            _queue(conversation, None, draft, language, Delivery.QUEUED)
    return True


def _queue(conversation: Conversation, turn: Turn | None, draft: Draft, language: str, state: Delivery) -> Message:
    body: dict[str, Any] = {
        "text": draft.text, "buttons": [], "place": None, "entry": None, "source": None, "verified_on": None,
        "language": language, "fallback": False, "outdated": False, "phone": None, "web": None, "event": None,
        "clarification": False, "files": [],
    }
    choices = list(draft.choices)
    paused = active() if draft.entry or draft.entries else {}
    if draft.entry:
        answer = load_answer(draft.entry, language)
        if refused := say("withdrawn", language) if answer is None else notice(paused, answer.category, language):
            body["text"] = refused
            choices.append(human_choice(language))
        else:
            body |= {
                "text": answer.text, "entry": answer.entry, "language": answer.language, "source": answer.source,
                "verified_on": answer.verified_on, "place": answer.place, "fallback": answer.fallback,
                "outdated": answer.outdated, "phone": answer.phone, "web": answer.web,
                "event": answer.event.text(language) if answer.event else None,
                "clarification": answer.clarification, "files": answer.files,
            }
    for slug, question in load_questions(draft.entries, language, paused) if draft.entries else ():
        choices.append(Choice(question, payload("show_entry", entry=slug)))
    if draft.human:
        choices.append(human_choice(language))
    if turn and (said := feedback.choice(turn, draft, language, answered=body["entry"] is not None)):
        choices.append(said)
    buttons = [Button(conversation=conversation, label=each.label[:300], payload=each.payload) for each in choices]
    if buttons:
        Button.objects.bulk_create(buttons)
    body["buttons"] = [{"id": button.id, "label": button.label} for button in buttons]
    if draft.receipt:
        body["receipt"] = draft.receipt
    return Message.objects.create(
        conversation=conversation, turn=turn, author=Author.BOT, text=body["text"], payload=body, state=state,
        sent_at=timezone.now() if state == Delivery.DELIVERED else None,
    )


def as_reply(message: Message) -> dict[str, Any]:
    """Return a stored message as the JSON API shows it."""
    ticket = message.ticket.number if message.ticket_id else None
    return {**message.payload, "id": message.pk, "author": message.author, "ticket": ticket}


def result_of(update: Update) -> Result | None:
    """Return what an update led to, if it has been worked off: a repeat is answered with the same."""
    turn = Turn.objects.select_related("conversation").filter(update_row=update).first()
    if turn is None:
        return _erased(update)
    messages = list(turn.messages.select_related("ticket").order_by("id"))
    mark_delivered([message.pk for message in messages if turn.conversation.channel in FETCHED])
    return _result(turn, turn.conversation, messages)


def _erased(update: Update) -> Result | None:
    """Return an empty result for an update that was worked off and whose traces were erased; None for a new one."""
    row = read(update.pk)
    if row.state != UpdateState.DONE or row.conversation is None:
        return None
    language = row.conversation.language or DEFAULT
    return Result(outcome=Outcome.SMALL_TALK, language=language, form=None, ticket=None, replies=[])


def _result(turn: Turn, conversation: Conversation, messages: list[Message]) -> Result:
    return Result(
        outcome=turn.outcome, language=conversation.language or DEFAULT, form=conversation.form or None,
        ticket=turn.ticket or None, replies=[as_reply(message) for message in messages],
    )


def waiting(channel: str, chat_id: str, after: int) -> list[dict[str, Any]]:
    """Return what was said to a fetching reader after a message id, and count it as delivered."""
    messages = list(
        Message.objects.filter(conversation__channel=channel, conversation__chat_id=chat_id, pk__gt=after)
        .exclude(author=Author.USER)
        .exclude(state=Delivery.DROPPED)
        .select_related("ticket")
        .order_by("id")[:100]
    )
    mark_delivered([message.pk for message in messages if message.state != Delivery.DELIVERED])
    return [as_reply(message) for message in messages]


def mark_delivered(ids: list[int]) -> None:
    """Count messages as delivered now."""
    if ids:
        Message.objects.filter(pk__in=ids).exclude(state=Delivery.DELIVERED).update(
            state=Delivery.DELIVERED, sent_at=timezone.now()
        )


def choose_language(channel: str, chat_id: str, language: str) -> None:
    """Record a language that somebody chose explicitly."""
    Conversation.objects.filter(channel=channel, chat_id=chat_id).update(language=language, language_chosen=True)
