"""One ticket's page: what is asked, what was said and answered, who works on it; and what has changed since."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from bot.models import Handler, Message
from desk import answers, audit, tickets, viewers
from desk.knowledge_draft import drafted, may_draft
from desk.models import AnswerState, CannedReply, Kind, State, Ticket
from desk.transcript import CHANNEL_LABELS, fields_of, is_partly_hidden, talk_of
from desk.views import colleagues, name_of, the_ticket
from desk.zones import is_zone
from knowledge.models import LANGUAGE_CHOICES, Department
from nlu.languages import SOURCE

# Parts of the page that are put anew when the ticket has changed; the page leaves one alone that somebody types in.
PARTS = ("head", "related", "proposal", "answer", "answers", "form", "files", "work", "history")


@never_cache
@require_GET
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show one ticket with its conversation, its history and the steps it allows; that it was seen is noted."""
    ticket = the_ticket(request, number)
    audit.record("viewed", ticket.number, actor=request.user, press=ticket.kind == Kind.PRESS)
    context = _context(request, ticket) | {
        "stamp": _stamp(ticket),
        "viewers": viewers.look(ticket, request.user),
        # What a person typed before a step was refused is given back to them, not thrown away.
        "unsent": request.session.pop(unsent_key(ticket), {}),
    }
    return render(request, "desk/tickets/detail.html", context)


def unsent_key(ticket: Ticket) -> str:
    """Return the key under which a session keeps what was typed for a step that was refused."""
    return f"unsent-{ticket.pk}"


@never_cache
@require_GET
def updates(request: HttpRequest, number: str) -> JsonResponse:
    """Return what an open page does not show yet: new messages, deliveries, who else looks, parts that have changed.

    `after` is the last message the page shows, `stamp` the state of the ticket it shows.
    """
    ticket = the_ticket(request, number)
    after = int(request.GET.get("after", "0")) if request.GET.get("after", "0").isdecimal() else 0
    talk = talk_of(ticket, request.user)
    stamp = _stamp(ticket)
    parts = {}
    if request.GET.get("stamp", stamp) != stamp:
        context = _context(request, ticket, talk)
        parts = {part: render_to_string(f"desk/tickets/_{part}.html", context, request) for part in PARTS}
    return JsonResponse(
        {
            "state": ticket.state,
            "state_label": ticket.get_state_display(),
            "claimed_by": name_of(ticket.claimed_by),
            "by_staff": _by_staff(ticket),
            "viewers": viewers.look(ticket, request.user),
            "stamp": stamp,
            "parts": parts,
            # Whoever had to log in again in another tab sends what stands here with the new token.
            "token": get_token(request),
            "last": talk[-1].pk if talk else after,
            "messages": [_message(message) for message in talk if message.pk > after],
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


@never_cache
@require_GET
def here(request: HttpRequest, number: str) -> HttpResponse:
    """Take note that somebody is typing: a session that is used in this way does not end for want of use.

    Polls do not count as use (desk/security.py), so that a page left open does not keep anybody logged in.
    """
    the_ticket(request, number)
    return HttpResponse(status=204)


def _message(message: Message) -> dict[str, Any]:
    html = render_to_string("desk/tickets/_message.html", {"message": message})
    return {"id": message.pk, "author": message.author, "text": message.text, "html": html}


def _stamp(ticket: Ticket) -> str:
    """Return what changes with everything that the parts of the page show.

    Every step adds a line of history; a conversation is also taken over from another of its tickets.
    """
    conversation = ticket.conversation
    hand = f"{conversation.epoch}{conversation.handler}" if conversation else "-"
    return f"{ticket.events.count()}.{ticket.updated_at.timestamp()}.{hand}"


def _by_staff(ticket: Ticket) -> bool:
    return bool(ticket.conversation and ticket.conversation.handler == Handler.STAFF)


def _context(request: HttpRequest, ticket: Ticket, talk: list[Message] | None = None) -> dict[str, Any]:
    """Return what the page and its parts show."""
    user = request.user
    talk = talk_of(ticket, user) if talk is None else talk
    visible = tickets.visible_to(user)
    siblings = visible.filter(conversation_id=ticket.conversation_id).exclude(pk=ticket.pk).order_by("pk")
    siblings = siblings if ticket.conversation_id else visible.none()
    events = list(ticket.events.select_related("actor"))
    return {
        "ticket": ticket,
        "fields": fields_of(ticket),
        "talk": talk,
        "last": talk[-1].pk if talk else 0,
        "partly_hidden": is_partly_hidden(ticket, user),
        "events": events,
        "seen": events[-1].pk if events else 0,
        "now": timezone.now(),
        "channel": CHANNEL_LABELS.get(ticket.conversation.channel, ticket.conversation.channel)
        if ticket.conversation
        else "",
        "language": dict(LANGUAGE_CHOICES).get(ticket.language, ticket.language),
        "deadline_there": _deadline_there(ticket),
        "by_staff": _by_staff(ticket),
        "by_other": bool(ticket.claimed_by and ticket.claimed_by != user),
        "previous": visible.filter(pk=ticket.previous_id).first(),
        "merged_into": visible.filter(pk=ticket.merged_into_id).first(),
        "followed_by": visible.filter(previous=ticket).order_by("pk"),
        "merged": visible.filter(merged_into=ticket).order_by("pk"),
        "siblings": siblings,
        "files": ticket.files.all(),
        **_answering(request, ticket),
        **_working(request, ticket, siblings.filter(kind=ticket.kind).exclude(state=State.CLOSED)),
    }


def _answering(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """Return the answers there are and what helps to write the next one."""
    user, given = request.user, ticket.answers.select_related("author", "reviewer", "message__conversation")
    proposal = given.filter(state=AnswerState.PROPOSED).first()
    drafts = drafted(ticket)
    done = list(given.exclude(state=AnswerState.PROPOSED).order_by("-pk"))
    for each in done:
        each.drafted = each.pk in drafts
        each.editable = ticket.state != State.CLOSED and not answers.fixed(ticket, each)
    return {
        "proposal": proposal,
        "own_proposal": bool(proposal and proposal.author_id == user.pk),
        "may_release": user.has_perm("desk.release_answer"),
        "answers": done,
        "may_draft": may_draft(user, ticket),
        "max_answer": answers.MAX_ANSWER,
        "two_texts": ticket.language != SOURCE,
        "needs_vietnamese": ticket.kind in answers.NEED_RELEASE,
        "replies": [
            {"id": each.pk, "title": each.title, "text": each.text(ticket.language), "text_vi": each.text_vi}
            for each in CannedReply.objects.filter(kind__in=("", ticket.kind))
        ],
    }


def _working(request: HttpRequest, ticket: Ticket, duplicates: Any) -> dict[str, Any]:
    """Return whom and what a ticket can be given to."""
    user = request.user
    may_assign = ticket.claimed_by_id in (None, user.pk) or user.has_perm("desk.assign_ticket")
    return {
        "holders": [(each.pk, name_of(each)) for each in colleagues(ticket)] if may_assign else [],
        "offices": Department.objects.all(),
        "duplicates": duplicates,
        "deadline_value": f"{timezone.localtime(ticket.deadline):%Y-%m-%dT%H:%M}" if ticket.deadline else "",
    }


def _deadline_there(ticket: Ticket) -> str:
    """Return the deadline as the asker's clock shows it, "" when it shows the same as ours."""
    if not ticket.deadline or not is_zone(ticket.timezone):
        return ""
    there = ticket.deadline.astimezone(ZoneInfo(ticket.timezone))
    if there.utcoffset() == timezone.localtime(ticket.deadline).utcoffset():
        return ""
    return f"{there:%d/%m/%Y %H:%M} ({ticket.timezone})"
