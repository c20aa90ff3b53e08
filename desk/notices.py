"""What the desk tells an asker about their request by itself: closed, merged, late. A person wrote none of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.models import Author, Button, Conversation, Delivery, Message
from bot.texts import say
from desk.models import Ticket

# The order behind "reply to the staff": reply:<ticket number> (bot/orders.py).
REPLY = "reply"


def reply_choice(ticket: Ticket) -> tuple[str, str]:
    """Return the button by which the asker writes to the staff again, as (label, order)."""
    return say("reply_to_staff", ticket.language), f"{REPLY}:{ticket.number}"


def tell_closed(ticket: Ticket, hours: int) -> None:
    """Tell the asker that their request is closed, and how they can still write to it."""
    tell(ticket, "ticket_closed", choices=[reply_choice(ticket)], hours=hours)


def tell_merged(ticket: Ticket) -> None:
    """Tell the asker under which number a merged request goes on."""
    tell(ticket, "ticket_merged", into=ticket.merged_into.number)


def give_buttons(conversation: Conversation, choices: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Make buttons from (label, order) pairs; return them as a reply's `buttons`."""
    buttons = [Button(conversation=conversation, label=label[:300], payload=order) for label, order in choices]
    Button.objects.bulk_create(buttons)
    return [{"id": button.id, "label": button.label} for button in buttons]


def tell(ticket: Ticket, key: str, *, choices: Sequence[tuple[str, str]] = (), **values: object) -> Message | None:
    """Queue the text `key` of bot/texts.yml in the asker's language; return the message, None without a conversation.

    `choices` are buttons as (label, order). Call it in the transaction of the step that it tells about. It belongs to a
    ticket, so the gate lets it through while a person has the conversation.
    """
    conversation = ticket.conversation
    if conversation is None:
        return None
    text = say(key, ticket.language, ticket=ticket.number, **values)
    payload: dict[str, Any] = {
        "text": text, "buttons": give_buttons(conversation, choices), "place": None, "entry": None,
        "source": None, "verified_on": None, "language": ticket.language, "fallback": False,
        "outdated": False, "phone": None, "web": None,
    }
    return Message.objects.create(
        conversation=conversation, ticket=ticket, author=Author.BOT, text=text, payload=payload, state=Delivery.QUEUED,
    )
