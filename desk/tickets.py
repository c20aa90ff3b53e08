"""The only way to open and change a ticket: each step and its line of history in one transaction."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from bot.models import Author, Conversation, Delivery, Handler, Message
from desk.models import Kind, State, Ticket, TicketCounter, TicketEvent
from knowledge.models import Department

MAX_ANSWER = 4000
PRIORITY = 10


class TicketError(Exception):
    """A step that a ticket does not allow; its text says why, in Vietnamese and English."""


def open_ticket(
    kind: str,
    *,
    conversation: Conversation | str | None,
    language: str,
    words: str,
    fields: dict[str, Any] | None = None,
    deadline: dt.datetime | None = None,
) -> Ticket:
    """Open a ticket and return it; it is in the database before its number can be told to anyone.

    `conversation` is a conversation or its uuid. The department is the one whose `handles` names the kind.
    """
    if kind not in Kind.values:
        raise TicketError(f"Không có loại phiếu {kind!r}. / There is no kind {kind!r}; kinds are {Kind.values}.")
    with transaction.atomic():
        if isinstance(conversation, str):
            conversation = Conversation.objects.get(uuid=conversation)
        ticket = Ticket.objects.create(
            number=_next_number(), kind=kind, conversation=conversation, language=language, words=words,
            fields=fields or {}, deadline=deadline, department=_department(kind),
        )
        TicketEvent.objects.create(ticket=ticket, type=TicketEvent.Type.OPENED, text=words)
    return ticket


def _next_number() -> str:
    year = timezone.localtime().year
    TicketCounter.objects.get_or_create(year=year)
    TicketCounter.objects.filter(year=year).update(last=F("last") + 1)
    last = TicketCounter.objects.values_list("last", flat=True).get(year=year)
    return f"{settings.TICKET_PREFIX}-{year}-{last:04d}"


def _department(kind: str) -> Department | None:
    # JSON containment is not portable to SQLite; there are ten rows.
    return next((each for each in Department.objects.all() if kind in each.handles), None)


def visible_to(user: AbstractBaseUser) -> QuerySet[Ticket]:
    """Return the tickets a user may see: press tickets with `work_press` alone, the others with `work_tickets`."""
    tickets = Ticket.objects.all()
    if not user.has_perm("desk.work_press"):
        tickets = tickets.exclude(kind=Kind.PRESS)
    if not user.has_perm("desk.work_tickets"):
        tickets = tickets.filter(kind=Kind.PRESS)
    return tickets


def claim(ticket: Ticket, user: AbstractBaseUser) -> Ticket:
    """Take a ticket; of two people who try, the second is told who has it."""
    with transaction.atomic():
        locked = _locked(ticket)
        _refuse_closed(locked)
        if locked.claimed_by_id not in (None, user.pk):
            holder = locked.claimed_by
            raise TicketError(f"{holder} đang xử lý phiếu này. / {holder} is working on this ticket.")
        if locked.claimed_by_id is None:
            locked.claimed_by_id = user.pk
            locked.state = State.CLAIMED
            locked.save()
            _event(locked, TicketEvent.Type.CLAIMED, user)
    return locked


def answer(ticket: Ticket, user: AbstractBaseUser, text: str) -> Message:
    """Queue an answer to the asker; the outbox delivers it and the console shows how far it has come."""
    text = text.strip()
    with transaction.atomic():
        locked = _locked(ticket)
        if not 1 <= len(text) <= MAX_ANSWER:
            raise TicketError(
                f"Câu trả lời phải có 1–{MAX_ANSWER} ký tự ({len(text)}). / "
                f"An answer has 1 to {MAX_ANSWER} characters, this one {len(text)}."
            )
        _refuse_closed(locked)
        if locked.conversation is None:
            raise TicketError("Người hỏi đã xóa hội thoại. / The asker has deleted the conversation.")
        payload = {
            "text": text, "buttons": [], "place": None, "entry": None, "source": None, "verified_on": None,
            "language": locked.language, "fallback": False, "outdated": False, "phone": None, "web": None,
        }
        message = Message.objects.create(
            conversation=locked.conversation, ticket=locked, author=Author.STAFF, text=text, payload=payload,
            state=Delivery.QUEUED, priority=PRIORITY,
        )
        locked.state = State.ANSWERED
        if locked.claimed_by_id is None:
            locked.claimed_by_id = user.pk
        locked.save()
        _event(locked, TicketEvent.Type.ANSWER, user, text, message=message)
    return message


def note(ticket: Ticket, user: AbstractBaseUser, text: str) -> None:
    """Add a private note that the asker never sees."""
    if not text.strip():
        raise TicketError("Ghi chú trống. / The note is empty.")
    _event(ticket, TicketEvent.Type.NOTE, user, text.strip())


def record_message(ticket: Ticket, text: str) -> None:
    """Record what the asker wrote while a person has the conversation."""
    with transaction.atomic():
        locked = _locked(ticket)
        _event(locked, TicketEvent.Type.MESSAGE, None, text)
        if locked.state == State.ANSWERED:
            locked.state = State.CLAIMED
            locked.save()


def take_over(ticket: Ticket, user: AbstractBaseUser) -> None:
    """Silence the machine: from the next message on this person answers, replies being computed are dropped.

    A closed ticket takes nobody's messages, so taking its conversation over would leave the asker unheard.
    """
    with transaction.atomic():
        _refuse_closed(_locked(ticket))
        _hand(ticket, user, Handler.STAFF, TicketEvent.Type.TAKEN_OVER)


def give_back(ticket: Ticket, user: AbstractBaseUser) -> None:
    """Let the machine answer again."""
    _hand(ticket, user, Handler.BOT, TicketEvent.Type.GIVEN_BACK)


def _hand(ticket: Ticket, user: AbstractBaseUser, handler: str, event: str) -> None:
    with transaction.atomic():
        if ticket.conversation_id is None:
            raise TicketError("Người hỏi đã xóa hội thoại. / The asker has deleted the conversation.")
        conversation = Conversation.objects.select_for_update().get(pk=ticket.conversation_id)
        if conversation.handler == handler:
            holder = conversation.taken_by
            if handler == Handler.STAFF and holder and holder.pk != user.pk:
                raise TicketError(f"{holder} đang trả lời hội thoại này. / {holder} is answering this conversation.")
            return
        conversation.handler = handler
        conversation.taken_by_id = user.pk if handler == Handler.STAFF else None
        conversation.epoch += 1
        conversation.save()
        _event(ticket, event, user)


def close(ticket: Ticket, user: AbstractBaseUser) -> None:
    """Close a ticket and let the machine answer its conversation again."""
    with transaction.atomic():
        locked = _locked(ticket)
        if locked.state == State.CLOSED:
            return
        locked.state, locked.closed_at = State.CLOSED, timezone.now()
        locked.save()
        _event(locked, TicketEvent.Type.CLOSED, user)
        if locked.conversation_id:
            give_back(locked, user)


def reopen(ticket: Ticket, user: AbstractBaseUser) -> None:
    """Reopen a closed ticket."""
    with transaction.atomic():
        locked = _locked(ticket)
        if locked.state != State.CLOSED:
            return
        locked.state, locked.closed_at = (State.CLAIMED if locked.claimed_by_id else State.OPEN), None
        locked.save()
        _event(locked, TicketEvent.Type.REOPENED, user)


def _locked(ticket: Ticket) -> Ticket:
    """Lock a ticket's conversation, then the ticket, and return it as it is now.

    `bot.store` locks a conversation before it records a message on its ticket: the other order would deadlock.
    """
    if ticket.conversation_id:
        Conversation.objects.select_for_update().filter(pk=ticket.conversation_id).first()
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


def _refuse_closed(ticket: Ticket) -> None:
    if ticket.state == State.CLOSED:
        raise TicketError("Phiếu đã đóng; hãy mở lại trước. / The ticket is closed; reopen it first.")


def _event(
    ticket: Ticket, type: str, user: AbstractBaseUser | None, text: str = "", message: Message | None = None
) -> None:
    TicketEvent.objects.create(
        ticket=ticket, type=type, actor_id=user.pk if user else None, text=text, message=message
    )
