"""What a conversation has just been about: the entry that a short "and how much is it?" goes on about.

Read from the turns, not kept beside them: a turn is stored on every channel and whoever answered it, the dialogue
engine, a button, or bot by itself.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from bot.models import Outcome, Turn
from knowledge.ellipsis import elliptical

# What was answered longer ago is not what "it" means.
FRESH = dt.timedelta(minutes=30)
# Turns looked at: thanks and greetings may stand between an answer and what is asked about it.
RECENT = 6
# These are about nothing: thanks, a sticker.
PASSED_OVER = (Outcome.SMALL_TALK, Outcome.REFUSED)
UNANSWERED = (Outcome.CLARIFY, Outcome.NOT_KNOWN, Outcome.FAILED)


def last_answered(conversation: str) -> str | None:
    """Return the slug of the entry answered last in a conversation (its uuid), if what is asked now may mean it.

    A question on something else that nobody could answer, a form and a person end the subject; thanks do not, nor does
    an unanswered follow-up on the same subject.
    """
    recent = Turn.objects.filter(conversation__uuid=conversation, created_at__gte=timezone.now() - FRESH)
    for turn in recent.order_by("-id").only("outcome", "entry", "text", "language")[:RECENT]:
        if turn.outcome == Outcome.ANSWERED:
            return turn.entry or None
        if turn.outcome in PASSED_OVER or (turn.outcome in UNANSWERED and elliptical(turn.text, turn.language)):
            continue
        return None
    return None
