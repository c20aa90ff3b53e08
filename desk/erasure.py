"""Erases what is kept of a person: a whole chat (/forget), a request taken back (/withdraw), tickets closed long ago.

This is the one module that changes lines of a ticket's history. They are append-only for everybody else, since nobody
may rewrite what happened; the law lets a person have their own words erased all the same. So `queryset.update` blanks
the asker's words and what staff noted about them, and nothing else: the line, its time and its author stay, so do the
city's answers, and the audit log, which knows words only by their digests, stays whole.

Each step is one transaction and notes in the receipt what it erased. What lies outside the database (files, Rasa's
memory) is erased before its row, never after. So every step can be repeated after a crash, and the receipt's number
stays the same.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bot import trackers
from bot.models import Conversation, Handler, Update, UpdateState
from bot.replies import FORGET
from desk import audit, files
from desk.models import AuditRecord, FileState, Post, Receipt, State, Ticket, TicketEvent, TicketFile
from desk.notices import REPLY
from desk.tickets import close, event, lock

# Lines whose text is the asker's, or a note about them.
WORDS = (
    TicketEvent.Type.OPENED, TicketEvent.Type.MESSAGE, TicketEvent.Type.FILE, TicketEvent.Type.NOTE,
    TicketEvent.Type.CLOSED, TicketEvent.Type.WITHDRAWN,
)
# Fields of any form that say who the asker is and where they can be reached, with the labels beside them.
CONTACT = re.compile(r"name|contact|mail|phone|tel|address|zalo|whatsapp|account", re.I)
# Channels repeat an update they believe lost for a day at most: until then its number must be known, not its content.
REPEATS = dt.timedelta(days=1)


def forget(update: Update) -> Receipt:
    """Erase all that is kept of the chat in which `update` came; tickets still being worked on stay, and are named.

    Repeated with the same update after a crash, it goes on where it stopped and returns the same receipt.
    """
    receipt = _begin(update)
    conversation = Conversation.objects.get(pk=update.conversation_id)
    remembered = trackers.count(conversation.sender)
    _note(receipt, memory=max(remembered - receipt.erased.get("memory", 0), 0))
    trackers.erase([conversation.sender])
    _erase_files(conversation, receipt, update.received_at)
    _erase_transcript(conversation, receipt, update)
    for ticket in erasable(conversation.tickets.all()):
        erase_ticket(ticket, receipt)
    if not AuditRecord.objects.filter(action="forgotten", subject=receipt.number).exists():
        audit.record("forgotten", receipt.number, erased=receipt.erased)
    return receipt


def _begin(update: Update) -> Receipt:
    """Make the receipt and tie it to the update, which keeps nothing else: a second try finds both."""
    with transaction.atomic():
        row = Update.objects.select_for_update().get(pk=update.pk)
        if number := row.payload.get("receipt"):
            return Receipt.objects.get(number=number)
        receipt = _new_receipt()
        # The button that was pressed is about to go; the order it stood for is what a second try needs.
        row.payload = update.payload = {"order": FORGET, "receipt": receipt.number}
        row.save(update_fields=["payload"])
    return receipt


def _new_receipt() -> Receipt:
    start = f"XD-{timezone.localtime().year}-"  # xóa dữ liệu
    for _ in range(20):
        # Receipts are never removed, so their count is the last number; two at once are told apart by the constraint.
        number = Receipt.objects.filter(number__startswith=start).count() + 1
        try:
            with transaction.atomic():
                return Receipt.objects.create(number=f"{start}{number:04d}")
        except IntegrityError:
            continue
    raise IntegrityError("no free receipt number")


def _note(receipt: Receipt | None, **erased: int) -> None:
    """Count what was erased, in the caller's transaction; retention erases without a receipt."""
    if receipt is None:
        return
    for kind, number in erased.items():
        receipt.erased[kind] = receipt.erased.get(kind, 0) + number
    receipt.save()


def erasable(tickets: QuerySet[Ticket]) -> list[Ticket]:
    """Return those of `tickets` that are closed and hold personal data still.

    One that was merged goes on in another and is closed only with that one.
    """
    left = TicketFile.objects.exclude(state=FileState.ERASED).exclude(ticket=None).values("ticket")
    # Words, then files, then the way to the chat: that is the order in which they go (below).
    held = Q(erased_at=None) | Q(pk__in=left) | Q(conversation__isnull=False)
    closed = tickets.filter(held, state=State.CLOSED).select_related("merged_into").order_by("id")
    return [ticket for ticket in closed if _ended(ticket)]


def _ended(ticket: Ticket) -> bool:
    while ticket.merged_into is not None:
        ticket = ticket.merged_into
    return ticket.state == State.CLOSED


def erase_ticket(ticket: Ticket, receipt: Receipt | None = None) -> bool:
    """Erase what a closed ticket says about its asker; return whether it was closed.

    Its number, kind, dates, holder and the city's answers stay. An open one is left alone.
    """
    with transaction.atomic():
        locked = lock(ticket)
        if locked.state != State.CLOSED:
            return False
        if locked.erased_at is None:
            locked.events.filter(type__in=WORDS).update(text="")
            # What the staff group was shown, and where: nothing can be answered there any more.
            Post.objects.filter(topic__ticket=locked).delete()
            if locked.conversation is not None:
                locked.conversation.turns.filter(ticket=locked.number).delete()
                locked.conversation.buttons.filter(payload=f"{REPLY}:{locked.number}").delete()
            locked.messages.all().delete()
            locked.words, locked.fields, locked.timezone = "", {}, ""
            locked.erased_at = timezone.now()
            locked.save()
            event(locked, TicketEvent.Type.ERASED, None)
            _note(receipt, requests=1)
    # From here on it cannot be reopened, so its files are not needed; after a crash here the next run erases them.
    for file in locked.files.exclude(state=FileState.ERASED):
        with transaction.atomic():
            files.erase(file)
            _note(receipt, files=1)
    locked.files.update(conversation=None)
    # Last of all: by the conversation the next run finds what this one leaves undone.
    Ticket.objects.filter(pk=locked.pk).update(conversation=None)
    return True


def _erase_files(conversation: Conversation, receipt: Receipt, until: dt.datetime) -> None:
    """Erase files that belong to no ticket; those sent after the request to forget are somebody's new matter."""
    for file in conversation.files.filter(ticket=None, created_at__lte=until):
        with transaction.atomic():
            files.erase(file)
            file.delete()
            _note(receipt, files=1)


def _erase_transcript(conversation: Conversation, receipt: Receipt, update: Update) -> None:
    """Erase the rest in one transaction; afterwards the conversation is as if it had just begun."""
    with transaction.atomic():
        row = Conversation.objects.select_for_update().get(pk=conversation.pk)
        kept = [ticket.number for ticket in row.tickets.order_by("id") if not _ended(ticket)]
        messages = row.messages.exclude(ticket__number__in=kept)
        buttons = row.buttons.exclude(payload__in=[f"{REPLY}:{number}" for number in kept])
        updates = row.updates.exclude(pk=update.pk).exclude(state=UpdateState.RECEIVED)
        filled = updates.exclude(payload={})
        _note(
            receipt, messages=messages.count(), turns=row.turns.count(), buttons=buttons.count(),
            updates=filled.count(),
        )
        messages.delete()
        row.turns.all().delete()
        buttons.delete()
        updates.filter(received_at__lt=timezone.now() - REPEATS).delete()
        updates.update(payload={}, error="")
        row.uuid = uuid.uuid4()
        row.form = row.requested = row.timezone = ""
        row.replying_to, row.not_known_count, row.language_chosen = None, 0, False
        if not kept:
            row.handler, row.taken_by = Handler.BOT, None
        row.save()
        receipt.kept = kept
        receipt.save()


def withdraw(ticket: Ticket) -> bool:
    """Close a ticket because its asker takes it back, and erase who they are; False when it was closed before."""
    with transaction.atomic():
        locked = lock(ticket)
        if locked.state == State.CLOSED:
            return False
        close(locked, None, TicketEvent.Type.WITHDRAWN)
        fields = {name: value for name, value in locked.fields.items() if not CONTACT.search(name)}
        Ticket.objects.filter(pk=locked.pk).update(withdrawn_at=timezone.now(), fields=fields, timezone="")
    return True
