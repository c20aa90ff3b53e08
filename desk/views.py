"""The ticket pages of the staff console: the list, one ticket, its steps, and what has changed since.

Every view starts from `visible_to(request.user)`: a ticket that somebody may not see does not exist for them.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from bot.models import Handler
from desk import answers, tickets
from desk.models import WAITING, AnswerState, Kind, State, Ticket, TicketEvent
from desk.transcript import CHANNEL_LABELS, fields_of, is_partly_hidden, talk_of
from knowledge.models import LANGUAGE_CHOICES

ROWS_A_PAGE = 50


def may_work(user: AbstractBaseUser) -> bool:
    """Tell whether somebody works on tickets of any kind."""
    return user.has_perm("desk.work_press") or user.has_perm("desk.work_tickets")


def waiting_for(user: AbstractBaseUser) -> QuerySet[Ticket]:
    """Return the tickets a user may see that nobody has answered yet, the most urgent first."""
    return urgent_first(tickets.visible_to(user).filter(state__in=WAITING))


def urgent_first(rows: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Order tickets by deadline; those without one follow, the oldest first."""
    return rows.select_related("claimed_by", "department").order_by(
        F("deadline").asc(nulls_last=True), "created_at"
    )


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the tickets a user may see, filtered by state and kind."""
    if not may_work(request.user):
        raise Http404
    visible = tickets.visible_to(request.user)
    state, kind = request.GET.get("state", "waiting"), request.GET.get("kind", "")
    rows = visible
    if state == "waiting":
        rows = rows.filter(state__in=WAITING)
    elif state in State.values:
        rows = rows.filter(state=state)
    if kind in Kind.values:
        rows = rows.filter(kind=kind)
    # What waits is read by urgency, what is done by looking back from today.
    rows = urgent_first(rows) if state in ("waiting", *WAITING) else rows.select_related("claimed_by")
    kinds = [(value, label) for value, label in Kind.choices if _sees(request.user, value)]
    context = {
        "tickets": Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("p")),
        "state": state,
        "kind": kind,
        "kinds": kinds,
        "now": timezone.now(),
        "states": [("waiting", "Chờ trả lời / waiting"), *State.choices, ("all", "Tất cả / all")],
    }
    return render(request, "desk/tickets/index.html", context)


def _sees(user: AbstractBaseUser, kind: str) -> bool:
    return user.has_perm("desk.work_press" if kind == Kind.PRESS else "desk.work_tickets")


def _ticket(request: HttpRequest, number: str) -> Ticket:
    rows = tickets.visible_to(request.user).select_related(
        "conversation__taken_by", "claimed_by", "department"
    )
    return get_object_or_404(rows, number=number)


@never_cache
@require_GET
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show one ticket with its conversation, its history and the steps it allows."""
    ticket = _ticket(request, number)
    talk = talk_of(ticket, request.user)
    context = {
        "ticket": ticket,
        "fields": fields_of(ticket),
        "talk": talk,
        "partly_hidden": is_partly_hidden(ticket, request.user),
        "events": _events(ticket),
        "now": timezone.now(),
        "channel": CHANNEL_LABELS.get(ticket.conversation.channel, ticket.conversation.channel)
        if ticket.conversation
        else "",
        "language": dict(LANGUAGE_CHOICES).get(ticket.language, ticket.language),
        "max_answer": answers.MAX_ANSWER,
        "by_staff": bool(ticket.conversation and ticket.conversation.handler == Handler.STAFF),
        "by_other": bool(ticket.claimed_by and ticket.claimed_by != request.user),
        "last": talk[-1].pk if talk else 0,
        # What a person typed before a step was refused is given back to them, not thrown away.
        "unsent": request.session.pop(_unsent_key(ticket), {}),
    }
    return render(request, "desk/tickets/detail.html", context)


def _events(ticket: Ticket) -> list[TicketEvent]:
    return list(ticket.events.select_related("actor"))


@never_cache
@require_GET
def updates(request: HttpRequest, number: str) -> JsonResponse:
    """Return what an open page does not show yet: new messages, and how far the others have come."""
    ticket = _ticket(request, number)
    after = int(request.GET.get("after", "0")) if request.GET.get("after", "0").isdecimal() else 0
    talk = talk_of(ticket, request.user)
    new = [message for message in talk if message.pk > after]
    return JsonResponse(
        {
            "state": ticket.state,
            "state_label": ticket.get_state_display(),
            "claimed_by": _name(ticket.claimed_by),
            "by_staff": bool(ticket.conversation and ticket.conversation.handler == Handler.STAFF),
            "events": ticket.events.count(),
            "last": talk[-1].pk if talk else after,
            "messages": [
                {
                    "id": message.pk,
                    "author": message.author,
                    "text": message.text,
                    "html": render_to_string("desk/tickets/_message.html", {"message": message}),
                }
                for message in new
            ],
            "deliveries": {
                str(message.pk): {
                    "state": message.state,
                    "label": message.get_state_display(),
                    "error": message.error,
                }
                for message in talk
                if message.author == "staff"
            },
        }
    )


def _name(user: AbstractBaseUser | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


@require_POST
def act(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """Do one step with a ticket; a step that is refused says why and keeps what was typed."""
    ticket = _ticket(request, number)
    text, text_vi = (request.POST.get(name, "").replace("\r\n", "\n") for name in ("text", "text_vi"))
    try:
        done = _do(step, ticket, request.user, text, text_vi)
    except tickets.TicketError as error:
        messages.error(request, str(error))
        if text:
            request.session[_unsent_key(ticket)] = {step: text}
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("desk_tickets:detail", args=[ticket.number]))


def _unsent_key(ticket: Ticket) -> str:
    return f"unsent-{ticket.pk}"


_ANSWERED = {
    AnswerState.PROPOSED: "Câu trả lời chờ người thứ hai duyệt. / The answer awaits release by a second person.",
    AnswerState.RELEASED: "Câu trả lời đã vào hàng chờ gửi. / The answer is queued.",
}


def _do(step: str, ticket: Ticket, user: AbstractBaseUser, text: str, text_vi: str) -> str:
    """Do a step and return what to tell the person who asked for it."""
    match step:
        case "claim":
            tickets.claim(ticket, user)
            return "Bạn đã nhận phiếu này. / This ticket is yours."
        case "answer":
            return _ANSWERED[answers.answer(ticket, user, text, text_vi).state]
        case "note":
            tickets.note(ticket, user, text)
            return "Đã lưu ghi chú. / Note saved."
        case "take-over":
            tickets.take_over(ticket, user)
            return "Bạn đang trả lời; máy im lặng. / You answer this chat; the machine is silent."
        case "give-back":
            tickets.give_back(ticket, user)
            return "Máy trả lời tiếp hội thoại này. / The machine answers this conversation again."
        case "close":
            tickets.close(ticket, user)
            return "Đã đóng phiếu. / Ticket closed."
        case "reopen":
            tickets.reopen(ticket, user)
            return "Đã mở lại phiếu. / Ticket reopened."
    raise Http404(step)
