"""The only way to open and change a ticket: each step and its line of history in one transaction."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from bot.models import Conversation, Handler, Message
from desk import audit
from desk.models import AnswerState, Kind, State, Ticket, TicketCounter, TicketEvent
from desk.notices import tell_closed, tell_merged
from knowledge.models import Department

# A closed ticket is opened again by the asker's word within this time; later words open one that is linked to it.
REOPEN_WITHIN = dt.timedelta(hours=72)


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
    consented_at: dt.datetime | None = None,
    zone: str = "",
    previous: Ticket | None = None,
) -> Ticket:
    """Open a ticket and return it; it is in the database before its number can be told to anyone.

    `conversation` is a conversation or its uuid; `zone` the asker's time zone (IANA name) where it is known;
    `previous` an earlier request that this one continues. The department is the one whose `handles` names the kind.
    Files that the asker has sent in this conversation and that belong to no ticket yet go with it.
    """
    if kind not in Kind.values:
        raise TicketError(f"Không có loại phiếu {kind!r}. / There is no kind {kind!r}; kinds are {Kind.values}.")
    with transaction.atomic():
        if isinstance(conversation, str):
            conversation = Conversation.objects.get(uuid=conversation)
        ticket = Ticket.objects.create(
            number=_next_number(), kind=kind, conversation=conversation, language=language, words=words,
            fields=fields or {}, deadline=deadline, department=_department(kind), consented_at=consented_at,
            timezone=zone, previous=previous,
        )
        event(ticket, TicketEvent.Type.OPENED, None, words)
        if previous is not None:
            event(previous, TicketEvent.Type.LINKED, None, ticket.number)
        if conversation is not None:
            conversation.files.filter(ticket=None).update(ticket=ticket)
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
        locked = lock(ticket)
        refuse_closed(locked)
        if locked.claimed_by_id not in (None, user.pk):
            holder = locked.claimed_by
            raise TicketError(f"{holder} đang xử lý phiếu này. / {holder} is working on this ticket.")
        if locked.claimed_by_id is None:
            locked.claimed_by_id = user.pk
            locked.state = State.CLAIMED
            locked.save()
            event(locked, TicketEvent.Type.CLAIMED, user)
    return locked


def note(ticket: Ticket, user: AbstractBaseUser, text: str) -> None:
    """Add a private note that the asker never sees."""
    if not text.strip():
        raise TicketError("Ghi chú trống. / The note is empty.")
    with transaction.atomic():
        event(ticket, TicketEvent.Type.NOTE, user, text.strip())


def record_message(ticket: Ticket, text: str) -> None:
    """Record what the asker wrote while a person has the conversation."""
    with transaction.atomic():
        locked = lock(ticket)
        event(locked, TicketEvent.Type.MESSAGE, None, text)
        if locked.state == State.ANSWERED:
            # Somebody waits again, and the deadline's reminders count again.
            locked.state = State.CLAIMED if locked.claimed_by_id else State.OPEN
            locked.save()


def take_over(ticket: Ticket, user: AbstractBaseUser) -> None:
    """Silence the machine: from the next message on this person answers, replies being computed are dropped.

    A closed ticket takes nobody's messages, so taking its conversation over would leave the asker unheard.
    """
    with transaction.atomic():
        refuse_closed(lock(ticket))
        _hand(ticket, user, Handler.STAFF, TicketEvent.Type.TAKEN_OVER)


def give_back(ticket: Ticket, user: AbstractBaseUser | None) -> None:
    """Let the machine answer again."""
    _hand(ticket, user, Handler.BOT, TicketEvent.Type.GIVEN_BACK)


def _hand(ticket: Ticket, user: AbstractBaseUser | None, handler: str, line: str) -> None:
    with transaction.atomic():
        if ticket.conversation_id is None:
            raise TicketError("Người hỏi đã xóa hội thoại. / The asker has deleted the conversation.")
        conversation = Conversation.objects.select_for_update().get(pk=ticket.conversation_id)
        if conversation.handler == handler:
            holder = conversation.taken_by
            if handler == Handler.STAFF and holder and user and holder.pk != user.pk:
                raise TicketError(f"{holder} đang trả lời hội thoại này. / {holder} is answering this conversation.")
            return
        conversation.handler = handler
        conversation.taken_by_id = user.pk if user and handler == Handler.STAFF else None
        conversation.epoch += 1
        conversation.save()
        event(ticket, line, user)


def close(ticket: Ticket, user: AbstractBaseUser | None, line: str = TicketEvent.Type.CLOSED, text: str = "") -> None:
    """Close a ticket and let the machine answer its conversation again.

    `user` is None when the asker or the system closes it; `line` says in the history how it came to be closed. An
    answer that waits for its release is sent back: nothing of a closed ticket goes out.
    """
    with transaction.atomic():
        locked = lock(ticket)
        if locked.state == State.CLOSED:
            return
        locked.answers.filter(state=AnswerState.PROPOSED).update(
            state=AnswerState.RETURNED, decided_at=timezone.now(), reason="Phiếu đã đóng. / The ticket was closed."
        )
        locked.state, locked.closed_at = State.CLOSED, timezone.now()
        locked.save()
        event(locked, line, user, text)
        if line == TicketEvent.Type.CLOSED:
            tell_closed(locked, hours=int(REOPEN_WITHIN.total_seconds() // 3600))
        elif line == TicketEvent.Type.MERGED:
            tell_merged(locked)
        # Another open ticket of the same chat may be the reason why a person has it.
        others = Ticket.objects.filter(conversation_id=locked.conversation_id).exclude(state=State.CLOSED)
        if locked.conversation_id and not others.exists():
            give_back(locked, user)


def reopen(ticket: Ticket, user: AbstractBaseUser | None) -> None:
    """Reopen a closed ticket; one that was merged, withdrawn or erased stays closed."""
    with transaction.atomic():
        locked = lock(ticket)
        if locked.state != State.CLOSED:
            return
        if locked.merged_into_id:
            raise TicketError(f"Phiếu đã gộp vào {locked.merged_into}. / It was merged into {locked.merged_into}.")
        if locked.withdrawn_at or locked.erased_at:
            raise TicketError("Người hỏi đã rút yêu cầu này. / The asker has withdrawn this request.")
        locked.state, locked.closed_at = (State.CLAIMED if locked.claimed_by_id else State.OPEN), None
        locked.save()
        event(locked, TicketEvent.Type.REOPENED, user)


def follow_up(ticket: Ticket, text: str) -> Ticket:
    """Put the asker's further words on a ticket and return the one that took them.

    A ticket closed within `REOPEN_WITHIN` is opened again; for one closed longer ago (or merged, or withdrawn) a new
    one is opened and linked to it.
    """
    with transaction.atomic():
        locked = lock(ticket)
        while locked.merged_into_id:
            locked = lock(locked.merged_into)
        if locked.state == State.CLOSED:
            recent = locked.closed_at and timezone.now() - locked.closed_at <= REOPEN_WITHIN
            if not recent or locked.withdrawn_at or locked.erased_at:
                return open_ticket(
                    locked.kind, conversation=locked.conversation, language=locked.language, words=text,
                    zone=locked.timezone, previous=locked,
                )
            reopen(locked, None)
        record_message(locked, text)
        return lock(locked)


def lock(ticket: Ticket) -> Ticket:
    """Lock a ticket's conversation, then the ticket, and return it as it is now.

    `bot.store` locks a conversation before it records a message on its ticket: the other order would deadlock.
    """
    if ticket.conversation_id:
        Conversation.objects.select_for_update().filter(pk=ticket.conversation_id).first()
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


def refuse_closed(ticket: Ticket) -> None:
    """Raise TicketError for a closed ticket."""
    if ticket.state == State.CLOSED:
        raise TicketError("Phiếu đã đóng; hãy mở lại trước. / The ticket is closed; reopen it first.")


def event(
    ticket: Ticket, type: str, user: AbstractBaseUser | None, text: str = "", message: Message | None = None,
    **data: Any,
) -> TicketEvent:
    """Add a line to a ticket's history and to the audit log; both or none, within the caller's transaction."""
    line = TicketEvent.objects.create(
        ticket=ticket, type=type, actor_id=user.pk if user else None, text=text, message=message, data=data
    )
    audit.record(
        str(type), ticket.number, actor=user, press=ticket.kind == Kind.PRESS, event=line.pk, text=audit.digest(text),
        **data,
    )
    return line
