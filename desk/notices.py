"""What the desk tells an asker about their request by itself: closed, merged, late. A person wrote none of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.models import Author, Button, Delivery, Message
from bot.texts import say
from desk.models import Ticket


def tell(ticket: Ticket, key: str, *, choices: Sequence[tuple[str, str]] = (), **values: object) -> Message | None:
    """Queue the text `key` of bot/texts.yml in the asker's language; return the message, None without a conversation.

    `choices` are buttons as (label, order). Call it in the transaction of the step that it tells about. It belongs to a
    ticket, so the gate lets it through while a person has the conversation.
    """
    conversation = ticket.conversation
    if conversation is None:
        return None
    buttons = [Button(conversation=conversation, label=label[:300], payload=order) for label, order in choices]
    Button.objects.bulk_create(buttons)
    text = say(key, ticket.language, ticket=ticket.number, **values)
    payload: dict[str, Any] = {
        "text": text, "buttons": [{"id": button.id, "label": button.label} for button in buttons], "place": None,
        "entry": None, "source": None, "verified_on": None, "language": ticket.language, "fallback": False,
        "outdated": False, "phone": None, "web": None,
    }
    return Message.objects.create(
        conversation=conversation, ticket=ticket, author=Author.BOT, text=text, payload=payload, state=Delivery.QUEUED,
    )
