"""Orders that `bot` carries out itself, without the dialogue engine: language, privacy, a welcome to groups.

They have to work when Rasa is down, and they change nothing in a dialogue: an open form stays open.
"""

from __future__ import annotations

from django.conf import settings

from bot.errors import UnknownButton
from bot.models import Conversation, Outcome
from bot.replies import Choice, Draft, Ending, text_reply
from nlu.languages import CODES, LANGUAGES


def own_order(order: str, conversation: Conversation, language: str) -> tuple[list[Draft], Ending]:
    """Return what to say to an order of our own; raises UnknownButton for one that does not exist."""
    name, _, argument = order.partition(":")
    ending = Ending(outcome=Outcome.SMALL_TALK, form=conversation.form, requested=conversation.requested)
    if name == "language" and argument in CODES:
        ending.language = argument
        return [text_reply("language_set", argument)], ending
    if name == "language" and not argument:
        choices = [Choice(each.name, f"language:{each.code}") for each in LANGUAGES]
        return [Draft(text=text_reply("language_prompt", language).text, choices=choices)], ending
    if name == "privacy":
        return [
            text_reply("privacy", language, city=settings.CITY_NAME, days=settings.RETENTION_DAYS)
        ], ending
    if name == "group":
        return [text_reply("group", language, username=argument)], ending
    raise UnknownButton(order)
