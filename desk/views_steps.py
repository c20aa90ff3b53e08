"""What staff do with a ticket: each step is one POST; a refused one says why and gives back what was typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from desk import answers, assignments, deadlines, tickets
from desk.knowledge_draft import draft
from desk.models import Answer, AnswerState, Ticket, TicketEvent
from desk.tickets import TicketError
from desk.views import colleagues, name_of, the_ticket
from desk.views_ticket import unsent_key
from knowledge.models import Department, Entry

# What somebody typed, given back after a refusal.
TYPED = ("text", "text_vi", "reason")
# Lines of history after which an answer written before them may say something twice, or against each other.
ELSEWHERE = (
    TicketEvent.Type.CLAIMED, TicketEvent.Type.ASSIGNED, TicketEvent.Type.PROPOSED, TicketEvent.Type.ANSWER,
    TicketEvent.Type.RELEASED, TicketEvent.Type.EDITED,
)  # fmt: skip
ANSWERED = {
    AnswerState.PROPOSED: "Câu trả lời chờ người thứ hai duyệt. / The answer awaits release by a second person.",
    AnswerState.RELEASED: "Câu trả lời đã vào hàng chờ gửi. / The answer is queued.",
}


@require_POST
def act(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Do one step with a ticket; a step that is refused says why and keeps what was typed."""
    ticket = the_ticket(request, number)
    if step not in STEPS:
        raise Http404(step)
    try:
        done = STEPS[step](ticket, request.user, request.POST)
    except TicketError as error:
        messages.error(request, str(error))
        typed = {name: _typed(request.POST, name) for name in TYPED if _typed(request.POST, name).strip()}
        if typed:
            request.session[unsent_key(ticket)] = {step.replace("-", "_"): typed}
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("desk_tickets:detail", args=[ticket.number]))


@require_POST
def make_draft(request: HttpRequest, number: str) -> HttpResponse:
    """Make a knowledge draft from a released answer; whoever may edit it is taken there."""
    ticket = the_ticket(request, number)
    try:
        entry = draft(_answer(ticket, request.POST), request.user)
    except TicketError as error:
        messages.error(request, str(error))
    else:
        done = f"Đã có bản nháp {entry.slug}. / The draft {entry.slug} is there."
        messages.success(request, done)
        if request.user.has_perm("knowledge.change_entry"):
            return HttpResponseRedirect(reverse(Entry.snippet_viewset.get_url_name("edit"), args=[entry.pk]))
    return HttpResponseRedirect(reverse("desk_tickets:detail", args=[ticket.number]))


def _typed(post: QueryDict, name: str) -> str:
    return post.get(name, "").replace("\r\n", "\n")


def _answer(ticket: Ticket, post: QueryDict) -> Answer:
    """Return the answer that a form is about; one of another ticket does not exist here."""
    key = post.get("answer", "")
    return get_object_or_404(ticket.answers.select_related("ticket"), pk=key if key.isdecimal() else None)


def _claim(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    tickets.claim(ticket, user)
    return "Bạn đã nhận phiếu này. / This ticket is yours."


def _write(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    with transaction.atomic():
        _refuse_unknowing(tickets.lock(ticket), user, post.get("seen", ""))
        written = answers.answer(ticket, user, _typed(post, "text"), _typed(post, "text_vi"))
    return ANSWERED[written.state]


def _refuse_unknowing(ticket: Ticket, user: AbstractBaseUser, seen: str) -> None:
    """Refuse an answer when a colleague took or answered the ticket after its writer's page was loaded.

    `seen` is the last line of history that page showed. The writer gets the text back under the colleague's, and may
    send it then, knowingly.
    """
    if not seen.isdecimal():
        return
    new = ticket.events.filter(pk__gt=int(seen), type__in=ELSEWHERE).exclude(actor=None).exclude(actor_id=user.pk)
    line = new.select_related("actor").first()
    if line is not None:
        who = name_of(line.actor)
        raise TicketError(
            f"Trong lúc bạn viết, {who}: {line.get_type_display()}. Hãy đọc lại rồi gửi nếu vẫn cần. / "
            f"While you wrote, {who} worked on this ticket. Read it again, then send if it is still needed."
        )


def _release(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    answers.release(_answer(ticket, post), user)
    return "Đã duyệt; câu trả lời đã vào hàng chờ gửi. / Released; the answer is queued."


def _send_back(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    answers.send_back(_answer(ticket, post), user, _typed(post, "reason"))
    return "Đã trả lại câu trả lời. / The answer was sent back."


def _edit(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    answers.edit(_answer(ticket, post), user, _typed(post, "text"), _typed(post, "text_vi"))
    return "Đã sửa câu trả lời; người hỏi sẽ thấy câu mới. / The answer is changed; the asker will see the new wording."


def _note(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    tickets.note(ticket, user, _typed(post, "text"))
    return "Đã lưu ghi chú. / Note saved."


def _assign(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    key = post.get("holder", "")
    # Only those who may see it are looked among; the step itself checks it once more under its lock.
    holder = colleagues(ticket).filter(pk=key if key.isdecimal() else None).first()
    if holder is None:
        raise TicketError("Hãy chọn một người được xem phiếu này. / Choose somebody who may see this ticket.")
    assignments.assign(ticket, user, holder)
    return f"Đã giao cho {name_of(holder)}. / Assigned to {name_of(holder)}."


def _department(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    key = post.get("department", "")
    department = Department.objects.filter(pk=key if key.isdecimal() else None).first()
    if department is None:
        raise TicketError("Hãy chọn cơ quan. / Choose an office.")
    assignments.set_department(ticket, user, department)
    return f"Cơ quan phụ trách: {department}. / Office in charge: {department}."


def _deadline(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    said, deadline = post.get("deadline", "").strip(), None
    if said:
        try:
            # A browser's datetime-local field has no zone: it is the city's clock, as everywhere in the console.
            deadline = timezone.make_aware(dt.datetime.fromisoformat(said).replace(tzinfo=None))
        except (ValueError, OverflowError) as error:
            raise TicketError(f"Không hiểu hạn {said[:40]!r}. / {said[:40]!r} is no date and time.") from error
    assignments.set_deadline(ticket, user, deadline)
    return "Đã đổi hạn. / Deadline changed."


def _late(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    deadlines.tell_late(ticket, user)
    return "Đã báo người hỏi là sẽ trễ hạn. / The asker is told of the delay."


def _merge(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    into = tickets.visible_to(user).filter(number=post.get("into", "")).first()
    if into is None:
        raise TicketError("Hãy chọn phiếu để gộp vào. / Choose the ticket to merge into.")
    assignments.merge(ticket, user, into)
    return f"Đã gộp vào {into.number}. / Merged into {into.number}."


def _take_over(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    tickets.take_over(ticket, user)
    return "Bạn đang trả lời; máy im lặng. / You answer this chat; the machine is silent."


def _give_back(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    tickets.give_back(ticket, user)
    return "Máy trả lời tiếp hội thoại này. / The machine answers this conversation again."


def _close(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    tickets.close(ticket, user)
    return "Đã đóng phiếu. / Ticket closed."


def _reopen(ticket: Ticket, user: AbstractBaseUser, post: QueryDict) -> str:
    tickets.reopen(ticket, user)
    return "Đã mở lại phiếu. / Ticket reopened."


# A step's name in its address → what does it and returns what to tell the person who asked for it.
STEPS: dict[str, Callable[[Ticket, AbstractBaseUser, QueryDict], str]] = {
    "claim": _claim,
    "answer": _write,
    "release": _release,
    "send-back": _send_back,
    "edit": _edit,
    "note": _note,
    "assign": _assign,
    "department": _department,
    "deadline": _deadline,
    "late": _late,
    "merge": _merge,
    "take-over": _take_over,
    "give-back": _give_back,
    "close": _close,
    "reopen": _reopen,
}
