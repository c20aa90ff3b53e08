"""What people say about an answer, or its lack: "not what I asked", and "tell me when there is an answer".

Both stand on the turn and go with it: nothing is kept of them but the question they are about.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from bot.errors import UnknownButton
from bot.models import Conversation, Outcome, Turn
from bot.replies import Choice, Draft, text_reply
from bot.texts import say

DISLIKE, WISH = "dislike", "wish"
# Near misses offered instead of a disliked answer.
OFFERS = 2


def choice(turn: Turn, draft: Draft, language: str, *, answered: bool) -> Choice | None:
    """Return the button that a reply to a typed question ends with: under an answer, or where there is none."""
    if not turn.text:
        return None
    if answered and turn.outcome == Outcome.ANSWERED and turn.entry == draft.entry:
        return Choice(say("not_what_i_asked", language), f"{DISLIKE}:{turn.pk}")
    if turn.outcome == Outcome.NOT_KNOWN and draft.human and not turn.degraded:
        return Choice(say("tell_me_later", language), f"{WISH}:{turn.pk}")
    return None


def dislike(conversation: Conversation, number: str, language: str) -> list[Draft]:
    """Note that an answer was not what its asker wanted; offer what came close, and a person."""
    turn = _turn(conversation, number)
    Turn.objects.filter(pk=turn.pk, disliked_at=None).update(disliked_at=timezone.now())
    near = dict.fromkeys(each["entry"] for each in turn.near if each["entry"] != turn.entry)
    return [Draft(text=say("disliked", language), entries=list(near)[:OFFERS], human=True)]


def wish(conversation: Conversation, number: str, language: str) -> list[Draft]:
    """Note that somebody wants to be told once their question has an answer."""
    turn = _turn(conversation, number)
    Turn.objects.filter(pk=turn.pk, wished_at=None).update(wished_at=timezone.now())
    return [text_reply("wish_kept", language, days=settings.RETENTION_DAYS)]


def _turn(conversation: Conversation, number: str) -> Turn:
    turn = conversation.turns.filter(pk=number).first() if number.isdecimal() else None
    if turn is None:  # erased since, or never this chat's
        raise UnknownButton(number)
    return turn
