"""Deadlines: the holder is reminded, then the head, before one is missed; the asker is told when it will be.

Mail says a ticket's number, kind and deadline and where to read it, never what it is about: a mailbox is no place for
a press request.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from desk.models import WAITING, Kind, Reminder, State, Ticket, TicketEvent
from desk.notices import tell
from desk.tickets import TicketError, event, lock, refuse_closed

logger = logging.getLogger(__name__)
# A reminder whose mail did not go out (a crash, a mail server that is down) is tried again for a day.
GIVE_UP = dt.timedelta(days=1)
SUBJECTS = {
    Reminder.Stage.HOLDER: "Sắp đến hạn / Deadline near",
    Reminder.Stage.HEAD: "Sắp trễ hạn, chưa trả lời / About to be late",
}


def remind(now: dt.datetime | None = None) -> int:
    """Do what deadlines ask for at `now` and return how many reminders were noted; safe to break off and to repeat.

    A reminder is noted in the ticket's history in one transaction, then mailed; what was noted and not mailed is
    mailed at the next round, so that a crash between costs no reminder (at worst one arrives twice).
    """
    now = now or timezone.now()
    noted = 0
    for ticket in _waiting(now):
        for stage in _due(ticket, now):
            noted += _note(ticket.pk, stage, now)
    for reminder in Reminder.objects.filter(sent_to=[], created_at__gte=timezone.now() - GIVE_UP).exclude(
        stage=Reminder.Stage.ASKER
    ):
        _mail(reminder)
    return noted


def due_at(ticket: Ticket) -> dt.datetime:
    """Return when a ticket must be answered: its deadline, or some time after it came when it has none."""
    return ticket.deadline or ticket.created_at + dt.timedelta(hours=settings.ANSWER_HOURS)


def tell_late(ticket: Ticket, user: AbstractBaseUser | None = None) -> None:
    """Tell the asker that the answer will come after their deadline; once for each deadline.

    Staff who know it beforehand say so (`user`); else the worker does when the deadline passes. Raises TicketError
    when there is nothing to tell.
    """
    with transaction.atomic():
        locked = lock(ticket)
        refuse_closed(locked)
        if locked.deadline is None:
            raise TicketError("Phiếu không có hạn. / The ticket has no deadline.")
        _, new = Reminder.objects.get_or_create(
            ticket=locked, stage=Reminder.Stage.ASKER, deadline=locked.deadline, defaults={"sent_to": ["asker"]}
        )
        if not new:
            raise TicketError("Người hỏi đã được báo. / The asker has been told already.")
        tell(locked, "deadline_missed")
        event(locked, TicketEvent.Type.LATE, user)


def _waiting(now: dt.datetime) -> list[Ticket]:
    soon = now + dt.timedelta(hours=max(settings.REMIND_HOLDER_HOURS, settings.REMIND_HEAD_HOURS))
    old = soon - dt.timedelta(hours=settings.ANSWER_HOURS)
    return list(
        Ticket.objects.filter(Q(deadline__lte=soon) | Q(deadline=None, created_at__lte=old), state__in=WAITING)
    )


def _due(ticket: Ticket, now: dt.datetime) -> list[str]:
    left = due_at(ticket) - now
    stages = []
    if left <= dt.timedelta(hours=settings.REMIND_HOLDER_HOURS):
        stages.append(Reminder.Stage.HOLDER)
    if left <= dt.timedelta(hours=settings.REMIND_HEAD_HOURS):
        stages.append(Reminder.Stage.HEAD)
    if ticket.deadline and left <= dt.timedelta():
        stages.append(Reminder.Stage.ASKER)
    return stages


def _note(ticket_id: int, stage: str, now: dt.datetime) -> int:
    with transaction.atomic():
        ticket = lock(Ticket.objects.get(pk=ticket_id))
        # Read again under the lock: it may have been answered, or got another deadline, since the list was made.
        if ticket.state not in WAITING or stage not in _due(ticket, now):
            return 0
        if Reminder.objects.filter(ticket=ticket, stage=stage, deadline=due_at(ticket)).exists():
            return 0
        if stage == Reminder.Stage.ASKER:
            tell_late(ticket)
            return 1
        Reminder.objects.create(ticket=ticket, stage=stage, deadline=due_at(ticket))
        event(ticket, TicketEvent.Type.REMINDED, None, Reminder.Stage(stage).label)
    return 1


def recipients(ticket: Ticket, stage: str) -> list[AbstractBaseUser]:
    """Return who is reminded: the holder (else everybody who may take it), or the heads who may see it."""
    if stage == Reminder.Stage.HOLDER and ticket.claimed_by and ticket.claimed_by.is_active:
        return [ticket.claimed_by]
    needed = "desk.work_press" if ticket.kind == Kind.PRESS else "desk.work_tickets"
    people = get_user_model().objects.filter(is_active=True).exclude(is_superuser=True)
    wanted = [needed] if stage == Reminder.Stage.HOLDER else [needed, "desk.assign_ticket"]
    return [user for user in people if user.has_perms(wanted)]


def _mail(reminder: Reminder) -> None:
    ticket = reminder.ticket
    people = recipients(ticket, reminder.stage)
    addresses = sorted({user.email for user in people if user.email})
    if addresses and ticket.state != State.CLOSED:
        try:
            # One a person: colleagues' addresses are nobody else's business.
            for address in addresses:
                send_mail(_subject(ticket, reminder.stage), _body(ticket), None, [address])
        except OSError as error:  # smtplib's errors are OSErrors too
            logger.warning("The reminder for %s could not be mailed (%s); trying again", ticket.number, error)
            return
    elif not addresses:
        logger.warning("Nobody with a mail address can be reminded of %s", ticket.number)
    Reminder.objects.filter(pk=reminder.pk).update(sent_to=[user.get_username() for user in people] or ["-"])


def _subject(ticket: Ticket, stage: str) -> str:
    return f"[{ticket.number}] {SUBJECTS[Reminder.Stage(stage)]}"


def _body(ticket: Ticket) -> str:
    due = timezone.localtime(due_at(ticket))
    holder = ticket.claimed_by or "chưa có ai nhận / nobody has taken it"
    return (
        f"Phiếu / Ticket: {ticket.number} ({ticket.get_kind_display()})\n"
        f"Trạng thái / State: {ticket.get_state_display()}\n"
        f"Người xử lý / Holder: {holder}\n"
        f"Hạn trả lời / Answer due: {due:%d/%m/%Y %H:%M} (GMT+7)\n\n"
        f"{settings.DESK_URL}{reverse('desk_tickets:detail', args=[ticket.number])}\n"
    )
