"""What colleagues write and press in the staff group: notes, answers, claims, releases.

Nobody's words count who is not registered as a colleague, and nothing is done that the console would refuse. What is
done and the row that says so are one transaction: Telegram sends an update again when it was not taken, and a repeat
finds its row.
"""

from __future__ import annotations

import re

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import Application, CallbackContext, CallbackQueryHandler, MessageHandler, filters

from bot.staff_group import feed, words
from desk import answers, tickets
from desk.models import Answer, AnswerState, Colleague, Post, PostState, Ticket, Topic

SEPARATOR = "\n---\n"
Context = CallbackContext


def register(application: Application) -> None:
    """Register the group's handlers before the public ones, which must never see what staff write."""
    for chat in feed.chats():
        application.add_handler(MessageHandler(filters.Chat(chat), on_message))
    if feed.chats():
        application.add_handler(CallbackQueryHandler(on_button, pattern=r"^s:(claim|release):\d+$"))


async def on_message(update: Update, context: Context) -> None:
    """Take a note, an answer, or the edit of one."""
    message = update.effective_message
    if message.from_user is None or message.from_user.is_bot or message.message_thread_id is None:
        return
    if not (message.text or message.effective_attachment):
        return  # a topic was opened, renamed, pinned …
    await sync_to_async(_take)(
        message.chat_id, message.message_thread_id, message.message_id, message.from_user.id, message.text or "",
        update.edited_message is not None,
    )


async def on_button(update: Update, context: Context) -> None:
    """Claim a ticket or release an answer; the reason of a refusal is shown to the one who pressed."""
    query = update.callback_query
    said = await sync_to_async(_press)(query.message.chat.id if query.message else 0, query.from_user.id, query.data)
    try:
        await query.answer(said[:200], show_alert=bool(said))
    except TelegramError:
        return  # the spinner was too old to be stopped; what was pressed is done


def _take(chat: int, thread: int, external_id: int, sender: int, text: str, edited: bool) -> None:
    topic = Topic.objects.select_related("ticket").filter(chat_id=chat, thread_id=thread).first()
    if topic is None:
        return
    known = Post.objects.filter(topic=topic, external_id=external_id, from_group=True).first()
    if known is not None and not edited:
        return
    try:
        with transaction.atomic():
            if known is None:
                known = Post.objects.create(
                    topic=topic, external_id=external_id, from_group=True, text=text[:4096], state=PostState.SENT
                )
                _do(topic, known, sender, text)
            elif known.text != text:
                Post.objects.filter(pk=known.pk).update(text=text[:4096])
                _edit(topic, known, sender, text)
    except tickets.TicketError as error:
        _refuse(topic, external_id, text, str(error))
    except IntegrityError:
        return  # the same update in another process


def _refuse(topic: Topic, external_id: int, text: str, why: str) -> None:
    """Remember what was refused, so that a repeat is not refused a second time, and say why."""
    Post.objects.get_or_create(
        topic=topic, external_id=external_id, from_group=True,
        defaults={"text": text[:4096], "state": PostState.SENT, "error": "refused"},
    )
    feed.say(topic, f"⚠️ {why}")


def _do(topic: Topic, post: Post, sender: int, text: str) -> None:
    user = _colleague(topic.ticket, sender)
    command, rest = _command(text)
    if not text:
        raise tickets.TicketError(words.ONLY_TEXT)
    if command == "/a":
        said, _, vietnamese = rest.strip().partition(SEPARATOR)
        answers.answer(topic.ticket, user, said, vietnamese)
    elif command == "/r":
        written = topic.ticket.answers.filter(state=AnswerState.PROPOSED).first()
        if written is None:
            raise tickets.TicketError(words.NOTHING_PROPOSED)
        answers.send_back(written, user, rest)
    elif text.startswith("/"):
        raise tickets.TicketError(words.HELP)
    else:
        tickets.note(topic.ticket, user, text)
    # The line of history stands in the group already: it is the message itself.
    line = topic.ticket.events.order_by("-id").first()
    if not text.startswith("/"):
        Post.objects.filter(pk=post.pk).update(event=line)
    Post.objects.filter(pk=post.pk).update(message=line.message)


def _edit(topic: Topic, post: Post, sender: int, text: str) -> None:
    user = _colleague(topic.ticket, sender)
    command, rest = _command(text)
    if command == "/a" and post.message_id:
        said, _, vietnamese = rest.strip().partition(SEPARATOR)
        answers.edit(Answer.objects.get(message=post.message_id), user, said, vietnamese)
    elif not text.startswith("/"):
        tickets.note(topic.ticket, user, words.EDITED.format(text=text))
    else:
        raise tickets.TicketError(words.HELP)


def _command(text: str) -> tuple[str, str]:
    """Return the command of a message ("" for none) and what follows it."""
    found = re.match(r"(/[a-z]+)(?:@\w+)?(?:\s+|$)", text)
    return (found[1], text[found.end() :]) if found else ("", text)


def _press(chat: int, sender: int, data: str) -> str:
    """Do what a button stands for; return why not, or "" when it is done."""
    _, step, key = data.split(":")
    try:
        if step == "claim":
            ticket = Ticket.objects.filter(pk=key, topic__chat_id=chat).first()
            if ticket is None:
                return words.NO_TOPIC
            tickets.claim(ticket, _colleague(ticket, sender))
        else:
            written = Answer.objects.select_related("ticket").filter(pk=key, ticket__topic__chat_id=chat).first()
            if written is None:
                return words.NO_TOPIC
            answers.release(written, _colleague(written.ticket, sender))
    except tickets.TicketError as error:
        return str(error)
    return ""


def _colleague(ticket: Ticket, sender: int) -> AbstractBaseUser:
    """Return who a Telegram account is; raises TicketError for a stranger and for who may not see the ticket."""
    found = Colleague.objects.select_related("user").filter(telegram_id=sender, user__is_active=True).first()
    if found is None:
        raise tickets.TicketError(words.STRANGER.format(id=sender))
    if not tickets.visible_to(found.user).filter(pk=ticket.pk).exists():
        raise tickets.TicketError(words.NOT_YOURS)
    return found.user
