"""Who works on a ticket and until when: assigning, moving to another office, another deadline, merging duplicates."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from desk.models import State, Ticket, TicketEvent
from desk.tickets import TicketError, close, event, lock, refuse_closed, visible_to
from knowledge.models import Department


def assign(ticket: Ticket, user: AbstractBaseUser, holder: AbstractBaseUser) -> None:
    """Give a ticket to somebody who may see it: one's own to a colleague, anybody's with `assign_ticket`."""
    with transaction.atomic():
        locked = lock(ticket)
        refuse_closed(locked)
        if locked.claimed_by_id not in (None, user.pk) and not user.has_perm("desk.assign_ticket"):
            raise TicketError(
                f"{locked.claimed_by} đang xử lý phiếu này. / {locked.claimed_by} is working on this ticket."
            )
        if not visible_to(holder).filter(pk=locked.pk).exists():
            raise TicketError(f"{holder} không được xem phiếu này. / {holder} may not see this ticket.")
        if locked.claimed_by_id == holder.pk:
            return
        locked.claimed_by_id = holder.pk
        if locked.state == State.OPEN:
            locked.state = State.CLAIMED
        locked.save()
        event(locked, TicketEvent.Type.ASSIGNED, user, str(holder), holder=holder.get_username())


def set_department(ticket: Ticket, user: AbstractBaseUser, department: Department) -> None:
    """Move a ticket to another office."""
    with transaction.atomic():
        locked = lock(ticket)
        refuse_closed(locked)
        if locked.department_id == department.pk:
            return
        locked.department = department
        locked.save()
        event(locked, TicketEvent.Type.DEPARTMENT, user, department.name_vi, department=department.slug)


def set_deadline(ticket: Ticket, user: AbstractBaseUser, deadline: dt.datetime | None) -> None:
    """Set another deadline (aware), or none; one that has passed is refused."""
    with transaction.atomic():
        locked = lock(ticket)
        refuse_closed(locked)
        if deadline is not None and deadline <= timezone.now():
            raise TicketError("Hạn đã qua. / That deadline has passed.")
        if locked.deadline == deadline:
            return
        locked.deadline = deadline
        locked.save()
        said = f"{timezone.localtime(deadline):%d/%m/%Y %H:%M}" if deadline else "không có hạn / none"
        event(locked, TicketEvent.Type.DEADLINE, user, said)


def merge(ticket: Ticket, user: AbstractBaseUser, into: Ticket) -> None:
    """Close a duplicate and point to the ticket that goes on; both must be of one kind and one conversation.

    Another conversation would be another person: their answer must never go to somebody else's chat.
    """
    with transaction.atomic():
        # In the order of their keys: two merges the other way round must not wait for each other.
        first, second = sorted((ticket, into), key=lambda each: each.pk)
        rows = {each.pk: each for each in (lock(first), lock(second))}
        locked, target = rows[ticket.pk], rows[into.pk]
        refuse_closed(locked)
        refuse_closed(target)
        if locked.pk == target.pk:
            raise TicketError("Không thể gộp phiếu vào chính nó. / A ticket cannot be merged into itself.")
        if locked.kind != target.kind or locked.conversation_id is None or (
            locked.conversation_id != target.conversation_id
        ):
            raise TicketError(
                "Chỉ gộp hai phiếu cùng loại của cùng một người hỏi. / "
                "Only two tickets of one kind and one asker can be merged."
            )
        locked.merged_into = target
        locked.save()
        locked.files.update(ticket=target)
        event(target, TicketEvent.Type.MERGED, user, locked.number, merged=locked.number)
        event(target, TicketEvent.Type.MESSAGE, None, locked.words)
        close(locked, user, TicketEvent.Type.MERGED, target.number)
