"""What we hold about a chat, told to the person in it: as a message (/mydata) and as a file (`GET /api/mydata`)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from bot import trackers
from bot.models import Author, Conversation
from bot.notes import DATE_FORMATS, NAMES
from bot.texts import say
from desk.models import FileState, State, Ticket, TicketEvent, TicketFile

# Telegram takes 4,096 characters a message; words are shown by their beginning, the file holds all of them.
MAX_WORDS = 300
MAX_REQUESTS = 10
# The asker reads "being worked on" while an answer awaits its release: how we work inside is not theirs to follow.
STATES = {State.PROPOSED: State.CLAIMED}
NONE = "–"


def as_text(conversation: Conversation, language: str) -> str:
    """Return what we hold, readable, in the reader's language."""
    counts = count(conversation)
    loose = conversation.files.filter(ticket=None)
    parts = [
        say(
            "mydata", language, since=_date(conversation.created_at, language),
            language=NAMES.get(conversation.language, NONE), zone=conversation.timezone or NONE,
            files=_names(loose), **counts,
        )
    ]
    requests = list(conversation.tickets.order_by("-id")[:MAX_REQUESTS])
    if requests:
        parts.append(say("mydata_requests", language))
        parts += [_request(ticket, language) for ticket in requests]
    return "\n\n".join(parts)


def count(conversation: Conversation) -> dict[str, int]:
    """Return how many rows of each kind belong to a conversation (`memory`: what Rasa remembers)."""
    return {
        "messages": conversation.messages.count(),
        "own": conversation.messages.filter(author=Author.USER).count(),
        "turns": conversation.turns.count(),
        "updates": conversation.updates.exclude(payload={}).count(),
        "buttons": conversation.buttons.count(),
        "memory": trackers.count(conversation.sender),
    }


def _request(ticket: Ticket, language: str) -> str:
    words = ticket.words if len(ticket.words) <= MAX_WORDS else ticket.words[:MAX_WORDS].rstrip() + "…"
    return say(
        "mydata_request", language, ticket=ticket.number, kind=say(f"kind_{ticket.kind}", language),
        state=say(f"state_{STATES.get(ticket.state, ticket.state)}", language),
        date=_date(ticket.created_at, language), words=words or NONE,
        fields=", ".join(_values(ticket.fields)) or NONE, files=_names(ticket.files.all()),
    )


def _values(fields: dict[str, Any]) -> list[str]:
    """Return a form's values as the asker gave them: where a value is a code, the label beside it was theirs."""
    shown = []
    for name, value in fields.items():
        if not name.endswith("_label") and value not in (None, "", [], {}):
            shown.append(str(fields.get(f"{name}_label") or value))
    return shown


def _names(files: Any) -> str:
    return ", ".join(file.name for file in files.exclude(state=FileState.ERASED)) or NONE


def _date(moment: Any, language: str) -> str:
    return timezone.localtime(moment).strftime(DATE_FORMATS[language])


def as_json(channel: str, chat_id: str) -> dict[str, Any]:
    """Return everything we hold about a chat, transcript included; the same shape, empty, for one we do not know.

    Nothing is made by asking: a chat that nobody has begun stays unknown.
    """
    conversation = Conversation.objects.filter(channel=channel, chat_id=chat_id).first()
    if conversation is None:
        return {"conversation": None, "counts": {}, "transcript": [], "requests": [], "files": [], "memory": []}
    return {
        "conversation": {
            "channel": conversation.channel, "id": conversation.chat_id, "since": conversation.created_at.isoformat(),
            "language": conversation.language, "timezone": conversation.timezone, "form": conversation.form,
        },
        "counts": count(conversation),
        "transcript": [
            {"at": each.created_at.isoformat(), "author": each.author, "text": each.text}
            for each in conversation.messages.order_by("id")
        ],
        "requests": [_request_json(ticket) for ticket in conversation.tickets.order_by("id")],
        "files": [_file_json(file) for file in conversation.files.filter(ticket=None)],
        "memory": trackers.events(conversation.sender),
    }


def _request_json(ticket: Ticket) -> dict[str, Any]:
    said = ticket.events.filter(type=TicketEvent.Type.MESSAGE, actor=None)
    return {
        "number": ticket.number, "kind": ticket.kind, "state": STATES.get(ticket.state, ticket.state),
        "received": ticket.created_at.isoformat(), "language": ticket.language, "words": ticket.words,
        "form": ticket.fields, "deadline": ticket.deadline and ticket.deadline.isoformat(),
        "consented": ticket.consented_at and ticket.consented_at.isoformat(), "timezone": ticket.timezone,
        "further_words": [{"at": each.created_at.isoformat(), "text": each.text} for each in said],
        "files": [_file_json(file) for file in ticket.files.all()],
    }


def _file_json(file: TicketFile) -> dict[str, Any]:
    return {
        "name": file.name, "type": file.content_type, "bytes": file.size, "state": file.state,
        "received": file.created_at.isoformat(),
    }
