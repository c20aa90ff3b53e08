"""What is said while staff have paused the machine's answers, altogether or on a topic (desk/pauses.py).

Emergency numbers, files for a ticket and the way to a person are never paused.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.models import Outcome
from bot.replies import Draft, Ending
from bot.texts import say
from desk.models import Pause

# The key, among what is paused, of the whole bot.
WHOLE = ""
PAUSED = "paused"


def notice(paused: Mapping[str, Pause], category: str, language: str) -> str | None:
    """Return what to say instead of an answer on a topic, None when it may be answered."""
    pause = paused.get(WHOLE) or paused.get(category)
    if pause is None:
        return None
    why = say(f"paused_because_{pause.reason}", language)
    if not pause.category:
        return say("paused_all", language, why=why)
    return say("paused_topic", language, why=why, topic=say(f"topic_{pause.category}", language))


def ending(pause: Pause, language: str, form: str, requested: str) -> tuple[list[Draft], Ending]:
    """Return the reply to any message while the whole bot is paused, and how the turn ended: a form stays open."""
    said = Draft(text=notice({WHOLE: pause}, WHOLE, language) or "", human=True)
    return [said], Ending(outcome=Outcome.REFUSED, intent=PAUSED, form=form, requested=requested)
