"""Orders that `bot` carries out itself, without the dialogue engine: language, data, requests, a welcome to groups.

They have to work when Rasa is down, and they change nothing in a dialogue: an open form stays open (until everything
is erased). A person's rights to their data do not wait for anybody: they work while staff have the conversation too.
"""

from __future__ import annotations

import re

from django.conf import settings

from bot import feedback, own_data, replying
from bot.errors import UnknownButton
from bot.models import Conversation, Outcome, Update
from bot.replies import FORGET, OWN, Choice, Draft, Ending, text_reply
from bot.texts import say
from desk import erasure
from desk.models import Receipt, State, Ticket
from desk.notices import REPLY
from nlu.languages import CODES, LANGUAGES

# What can be typed on every channel, and what Telegram's menu shows: command → the order it stands for. An order with a
# slash goes to the dialogue engine, the others are carried out here.
COMMANDS = {
    "start": "/greet", "help": "/help", "human": "/human", "language": "language", "privacy": "privacy",
    "mydata": "mydata", "forget": "forget", "withdraw": "withdraw",
}
_TYPED = re.compile(r"\s*/([A-Za-z]+)(?:@\w+)?(?:\s+(\S{1,40}))?\s*")
# Commands that may be followed by one word.
_WITH_WORD = ("withdraw", "language")
MAX_CHOICES = 10


def typed_order(text: str) -> str | None:
    """Return the order that a typed command stands for ("/withdraw MT-2026-0001"), None for anything else.

    Nothing else that begins with a slash is an order, whatever Rasa might take it for (lessons R1, R2).
    """
    found = _TYPED.fullmatch(text)
    if not found:
        return None
    command, word = found[1].lower(), found[2] or ""
    if command == "cancel" and not word:
        return "/cancel"
    if command not in COMMANDS or (word and command not in _WITH_WORD):
        return None
    return f"{COMMANDS[command]}:{word}" if word else COMMANDS[command]


def own_order(order: str, update: Update, language: str) -> tuple[list[Draft], Ending]:
    """Carry out an order of our own and return what to say; raises UnknownButton for one that does not exist."""
    name, _, argument = order.partition(":")
    conversation = update.conversation
    ending = Ending(
        outcome=Outcome.SMALL_TALK, form=conversation.form, requested=conversation.requested, intent=OWN
    )
    if name == "language" and argument in CODES:
        ending.language = argument
        return [text_reply("language_set", argument)], ending
    if name == "language":
        choices = [Choice(each.name, f"language:{each.code}") for each in LANGUAGES]
        return [Draft(text=text_reply("language_prompt", language).text, choices=choices)], ending
    if name == "privacy":
        return [_privacy(language)], ending
    if name == "group":
        return [text_reply("group", language, username=argument)], ending
    if name == "mydata":
        forget = Choice(say("command_forget", language), "forget")
        return [Draft(text=own_data.as_text(conversation, language), choices=[forget])], ending
    if order == FORGET:
        ending.form = ending.requested = ""
        return [_forgotten(erasure.forget(update), language)], ending
    if name == "forget":
        return [_ask_to_forget(argument, language)], ending
    if name == "withdraw":
        return [_withdraw(conversation, argument, language)], ending
    if name in (feedback.DISLIKE, feedback.WISH):
        note = feedback.dislike if name == feedback.DISLIKE else feedback.wish
        return note(conversation, argument, language), ending
    if name == REPLY:
        return replying.begin(conversation, argument, language), ending
    raise UnknownButton(order)


def _privacy(language: str) -> Draft:
    text = say(
        "privacy", language, city=settings.CITY_NAME, days=settings.RETENTION_DAYS,
        ticket_days=settings.RETENTION_TICKETS_DAYS,
    )
    choices = [Choice(say("command_mydata", language), "mydata"), Choice(say("command_forget", language), "forget")]
    return Draft(text=text, choices=choices)


def _ask_to_forget(argument: str, language: str) -> Draft:
    if argument == "no":
        return text_reply("forget_kept", language)
    choices = [Choice(say("forget_yes", language), FORGET), Choice(say("forget_no", language), "forget:no")]
    return Draft(text=say("forget_confirm", language), choices=choices)


def _forgotten(receipt: Receipt, language: str) -> Draft:
    erased = receipt.erased
    parts = [
        say(
            "forget_done", language, receipt=receipt.number, messages=erased.get("messages", 0),
            records=sum(erased.get(kind, 0) for kind in ("turns", "updates", "buttons")),
            memory=erased.get("memory", 0), files=erased.get("files", 0), requests=erased.get("requests", 0),
        )
    ]
    if receipt.kept:
        parts.append(
            say(
                "forget_open", language, tickets=", ".join(receipt.kept), first=receipt.kept[0],
                days=settings.RETENTION_TICKETS_DAYS,
            )
        )
    parts.append(say("forget_stays", language, days=settings.RETENTION_DAYS))
    return Draft(text="\n\n".join(parts), receipt=receipt.number)


def _withdraw(conversation: Conversation, number: str, language: str) -> Draft:
    """Take a request of this very chat back; a number of somebody else's is as unknown as one that never was."""
    if not number:
        return _which(conversation, language)
    ticket = conversation.tickets.filter(number__iexact=number).first()
    if ticket is None or not (erasure.withdraw(ticket) or _is_withdrawn(ticket)):
        return text_reply("withdraw_unknown", language, ticket=number.upper())
    return text_reply("withdraw_done", language, ticket=ticket.number, days=settings.RETENTION_TICKETS_DAYS)


def _which(conversation: Conversation, language: str) -> Draft:
    waiting = conversation.tickets.exclude(state=State.CLOSED).order_by("-id")[:MAX_CHOICES]
    choices = [
        Choice(f"{ticket.number} · {say(f'kind_{ticket.kind}', language)}", f"withdraw:{ticket.number}")
        for ticket in waiting
    ]
    if not choices:
        return text_reply("withdraw_none", language)
    return Draft(text=say("withdraw_which", language), choices=choices)


def _is_withdrawn(ticket: Ticket) -> bool:
    """Tell whether the asker took it back already: after a crash the same order comes again."""
    return Ticket.objects.filter(pk=ticket.pk, withdrawn_at__isnull=False).exists()
