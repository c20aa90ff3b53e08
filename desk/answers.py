"""Answers by people: written in two languages, released by a second person where the kind asks for it, then sent."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from bot.models import Author, Delivery, Message
from bot.outbox import EDITABLE
from desk.models import Answer, AnswerState, Kind, State, Ticket, TicketEvent
from desk.notices import give_buttons, reply_choice
from desk.tickets import TicketError, event, lock, refuse_closed
from nlu.languages import SOURCE

MAX_ANSWER = 4000
PRIORITY = 10
# Kinds whose answers speak for the city to the world: nobody releases their own.
NEED_RELEASE = frozenset({Kind.PRESS})


def answer(ticket: Ticket, user: AbstractBaseUser, text: str, text_vi: str = "") -> Answer:
    """Write an answer: it waits for its release where the kind needs one, else it is sent.

    `text` is in the asker's language, `text_vi` the same in Vietnamese for the file (needed for the press, where the
    person who releases it reads it; the asker's language may be one that they do not). Raises TicketError, with
    nothing changed, when the ticket takes no answer.
    """
    text, text_vi = text.strip(), text_vi.strip()
    with transaction.atomic():
        locked = lock(ticket)
        if locked.language == SOURCE:
            text_vi = text
        _check(text, "Câu trả lời / The answer")
        if text_vi or locked.kind in NEED_RELEASE:
            _check(text_vi, "Bản tiếng Việt / The Vietnamese text")
        refuse_closed(locked)
        if locked.conversation is None:
            raise TicketError("Người hỏi đã xóa hội thoại. / The asker has deleted the conversation.")
        if locked.answers.filter(state=AnswerState.PROPOSED).exists():
            raise TicketError(
                "Đã có một câu trả lời chờ duyệt; hãy duyệt hoặc trả lại trước. / "
                "Another answer awaits its release; release it or send it back first."
            )
        written = Answer.objects.create(ticket=locked, author_id=user.pk, text=text, text_vi=text_vi)
        if locked.claimed_by_id is None:
            locked.claimed_by_id = user.pk
        if locked.kind in NEED_RELEASE:
            locked.state = State.PROPOSED
            locked.save()
            event(locked, TicketEvent.Type.PROPOSED, user, text, answer=written.pk)
        else:
            _send(written, locked, user, TicketEvent.Type.ANSWER)
    return written


def release(written: Answer, user: AbstractBaseUser) -> Answer:
    """Release an answer and queue it for the asker; its author may not, and nobody releases it twice."""
    with transaction.atomic():
        locked = lock(written.ticket)
        waiting = _waiting(written)
        if waiting.author_id == user.pk:
            raise TicketError(
                "Câu trả lời phải do người thứ hai duyệt. / "
                "An answer is released by a second person, not by its author."
            )
        if not user.has_perm("desk.release_answer"):
            raise TicketError("Bạn không có quyền duyệt. / You may not release answers.")
        refuse_closed(locked)
        if locked.conversation is None:
            raise TicketError("Người hỏi đã xóa hội thoại. / The asker has deleted the conversation.")
        _send(waiting, locked, user, TicketEvent.Type.RELEASED)
    return waiting


def send_back(written: Answer, user: AbstractBaseUser, reason: str) -> Answer:
    """Send a proposed answer back with a reason; its author may take it back too."""
    if not reason.strip():
        raise TicketError("Hãy ghi lý do trả lại. / Say why it is sent back.")
    with transaction.atomic():
        locked = lock(written.ticket)
        waiting = _waiting(written)
        if waiting.author_id != user.pk and not user.has_perm("desk.release_answer"):
            raise TicketError("Bạn không có quyền trả lại. / You may not send answers back.")
        waiting.state, waiting.reviewer_id, waiting.decided_at = AnswerState.RETURNED, user.pk, timezone.now()
        waiting.reason = reason.strip()
        waiting.save()
        locked.state = State.CLAIMED
        locked.save()
        event(locked, TicketEvent.Type.RETURNED, user, reason.strip(), answer=waiting.pk)
    return waiting


def edit(written: Answer, user: AbstractBaseUser, text: str, text_vi: str = "") -> Answer:
    """Change an answer that was sent; the history keeps both wordings, and the asker's channel shows the new one.

    What was released by a second person is not changed by one: a correction is a new answer. Nor is what a web page has
    shown already, since the page does not take it back.
    """
    text, text_vi = text.strip(), text_vi.strip()
    with transaction.atomic():
        locked = lock(written.ticket)
        rows = Answer.objects.select_for_update(of=("self",)).select_related("message__conversation")
        found = rows.get(pk=written.pk)
        _check(text, "Câu trả lời / The answer")
        refuse_closed(locked)
        if why := fixed(locked, found):
            raise TicketError(why)
        message = found.message
        if message.text == text:
            return found
        found.text, found.text_vi = text, text_vi or (text if locked.language == SOURCE else found.text_vi)
        found.save()
        message.text, message.payload = text, {**message.payload, "text": text}
        message.revision += 1
        message.save(update_fields=["text", "payload", "revision"])
        event(locked, TicketEvent.Type.EDITED, user, text, message=message, answer=found.pk)
    return found


def fixed(ticket: Ticket, given: Answer) -> str:
    """Return why an answer cannot be edited any more, "" when it can; its message with the conversation is read."""
    message = given.message
    if ticket.kind in NEED_RELEASE or given.state != AnswerState.RELEASED or message is None:
        return (
            "Câu trả lời này không sửa được; hãy gửi câu đính chính. / "
            "This answer cannot be edited; send a correction."
        )
    if message.state == Delivery.DELIVERED and (
        message.conversation.channel != "telegram" or timezone.now() - message.sent_at > EDITABLE
    ):
        return (
            "Người hỏi đã nhận câu này và kênh không cho sửa; hãy gửi câu đính chính. / "
            "It has arrived, and its channel cannot change it any more; send a correction."
        )
    return ""


def _check(text: str, what: str) -> None:
    if not 1 <= len(text) <= MAX_ANSWER:
        raise TicketError(f"{what}: 1–{MAX_ANSWER} ký tự / characters ({len(text)}).")


def _waiting(written: Answer) -> Answer:
    found = Answer.objects.select_for_update().get(pk=written.pk)
    if found.state != AnswerState.PROPOSED:
        raise TicketError(
            f"Câu trả lời này không còn chờ duyệt ({found.get_state_display()}). / It does not await release any more."
        )
    return found


def _send(written: Answer, ticket: Ticket, user: AbstractBaseUser, line: str) -> None:
    """Make the message in the outbox; the ticket is locked by the caller."""
    payload = {
        "text": written.text, "buttons": give_buttons(ticket.conversation, [reply_choice(ticket)]), "place": None,
        "entry": None, "source": None, "verified_on": None, "language": ticket.language, "fallback": False,
        "outdated": False, "phone": None, "web": None,
    }
    message = Message.objects.create(
        conversation=ticket.conversation, ticket=ticket, author=Author.STAFF, text=written.text, payload=payload,
        state=Delivery.QUEUED, priority=PRIORITY,
    )
    written.state, written.reviewer_id, written.decided_at = AnswerState.RELEASED, user.pk, timezone.now()
    written.message = message
    written.save()
    ticket.state, ticket.answered_at = State.ANSWERED, timezone.now()
    ticket.save()
    event(ticket, line, user, written.text, message=message, answer=written.pk)
