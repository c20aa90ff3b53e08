"""What Telegram sends, turned into our incoming messages; every handler is registered in `register`."""

from __future__ import annotations

import re
from typing import Any

from telegram import Message, Update
from telegram.constants import ChatType, MessageEntityType
from telegram.ext import (
    Application,
    CallbackContext,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    ExtBot,
    MessageHandler,
    filters,
)

from bot.orders import COMMANDS as ORDERS
from bot.orders import typed_order
from bot.store import Incoming, SentFile

CHANNEL = "telegram"
# The menu; which order a command stands for says bot/orders.py.
COMMANDS = tuple(ORDERS)

Context = CallbackContext[ExtBot, dict, dict, dict]


def register(application: Application) -> None:
    """Register every handler; the order matters, the first that fits handles an update."""
    # Menu commands, in private chats and (addressed to us) in groups.
    application.add_handler(CommandHandler(list(COMMANDS), on_command))
    # Buttons under our messages.
    application.add_handler(CallbackQueryHandler(on_button))
    # We were added, removed, blocked or unblocked.
    application.add_handler(ChatMemberHandler(on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
    # Everything a person writes or sends, edits included; other bots and channels are no people.
    application.add_handler(MessageHandler(~filters.UpdateType.CHANNEL_POSTS & ~filters.VIA_BOT, on_message))


async def on_command(update: Update, context: Context) -> None:
    """Take a menu command."""
    message = update.effective_message
    command = re.split(r"[@\s]", message.text[1:], maxsplit=1)[0].lower()
    await _accept(update, context, order=typed_order(message.text) or ORDERS[command])


async def on_button(update: Update, context: Context) -> None:
    """Take a pressed button and stop its spinner."""
    context.bot_data["channel"].stop_spinner(update.callback_query)
    await _accept(update, context, button=update.callback_query.data or "")


async def on_message(update: Update, context: Context) -> None:
    """Take a text, the caption of a picture, or something we cannot read."""
    message = update.effective_message
    if message.from_user is None or message.from_user.is_bot or not _addressed(message, context.bot):
        return
    if message.new_chat_members:
        await _accept(update, context, order=f"group:{context.bot.username}")
        return
    text = message.text or message.caption
    file = _file(message)
    if text or file:
        text = re.sub(rf"@{re.escape(context.bot.username)}\b", " ", text or "", flags=re.I)
        await _accept(update, context, text=text, file=file)
    elif message.effective_attachment is not None:
        await _accept(update, context, media="attachment")


async def on_membership(update: Update, context: Context) -> None:
    """Note that a person blocked or unblocked us."""
    gone = update.my_chat_member.new_chat_member.status in ("kicked", "left")
    await context.bot_data["channel"].mark_reachable(str(update.effective_chat.id), not gone)


def _addressed(message: Message, bot: ExtBot) -> bool:
    """Tell whether a message is meant for us: always in private, in groups when we are named or replied to."""
    if message.chat.type == ChatType.PRIVATE:
        return True
    if any(member.id == bot.id for member in message.new_chat_members or ()):
        return True
    answered = message.reply_to_message and message.reply_to_message.from_user
    if answered and answered.id == bot.id:
        return True
    entities = message.parse_entities([MessageEntityType.MENTION]) | message.parse_caption_entities(
        [MessageEntityType.MENTION]
    )
    return any(name.lower() == f"@{bot.username}".lower() for name in entities.values())


def _file(message: Message) -> SentFile | None:
    """Return the document or the picture of a message; voices, stickers and places are nothing that we keep."""
    if message.document:
        sent = message.document
        return SentFile(external_id=sent.file_id, name=sent.file_name or "", size=sent.file_size or 0)
    if message.photo:
        best = message.photo[-1]  # Telegram lists the sizes in ascending order
        return SentFile(external_id=best.file_id, name="photo.jpg", size=best.file_size or 0)
    return None


async def _accept(update: Update, context: Context, **fields: Any) -> None:
    user = update.effective_user
    incoming = Incoming(
        channel=CHANNEL,
        chat_id=str(update.effective_chat.id),
        external_id=str(update.update_id),
        hint=user.language_code if user else None,
        edited=update.edited_message is not None,
        **fields,
    )
    await context.bot_data["channel"].accept(incoming)
