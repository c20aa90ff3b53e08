"""Sends one outbox message to Telegram, paced, and tells what became of it."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any

import httpx
from aiolimiter import AsyncLimiter
from asgiref.sync import sync_to_async
from django.conf import settings
from telegram import Message as TelegramMessage
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from bot.models import Author, Delivery, Message
from bot.outbox import Sent
from bot.telegram import render
from bot.texts import say
from knowledge import media

logger = logging.getLogger(__name__)
# Telegram's limits (core.telegram.org/bots/faq): about one message a second in a chat, short bursts forgiven, and
# 30 a second in all.
CHAT_SECONDS, TOTAL_RATE = 3.0, 30
REMEMBERED_CHATS = 10_000
MAX_CAPTION = 1024


class TelegramSender:
    """The outbox's way to Telegram."""

    def __init__(self, bot: ExtBot) -> None:
        self.bot = bot
        self._total = AsyncLimiter(TOTAL_RATE, 1.0)
        self._chats: OrderedDict[str, AsyncLimiter] = OrderedDict()

    async def __call__(self, message: Message) -> Sent:
        """Send a message; errors become a state, never an exception."""
        chat_id = message.conversation.chat_id
        try:
            async with self._limiter(chat_id), self._total:
                sent = await self._text(chat_id, message)
        except RetryAfter as error:
            return Sent(Delivery.QUEUED, error=str(error), retry_in=seconds_of(error))
        except Forbidden as error:
            return Sent(Delivery.BLOCKED, error=str(error))
        except BadRequest as error:
            return Sent(Delivery.FAILED, error=str(error))
        except NetworkError as error:
            if may_have_arrived(error):
                return Sent(Delivery.UNCERTAIN, error=str(error))
            return Sent(Delivery.QUEUED, error=str(error), retry_in=min(2.0**message.attempts, 60.0))
        except TelegramError as error:
            return Sent(Delivery.FAILED, error=str(error))
        await self._pin(chat_id, message)
        await self._files(chat_id, message)
        return Sent(Delivery.DELIVERED, external_id=str(sent.message_id))

    async def edit(self, message: Message) -> Sent:
        """Show the edit of a message that was delivered; errors become a state, never an exception."""
        chat_id, language = message.conversation.chat_id, message.conversation.language
        body = render.html(_named(message, language), language)
        if len(body) > render.MAX_TEXT or not message.external_id:
            return Sent(Delivery.FAILED, error="too long to be edited: it was sent in pieces")
        try:
            async with self._limiter(chat_id), self._total:
                await self.bot.edit_message_text(
                    body, chat_id, int(message.external_id), parse_mode=ParseMode.HTML,
                    reply_markup=render.keyboard(message.payload), disable_web_page_preview=True,
                )
        except RetryAfter as error:
            return Sent(Delivery.QUEUED, error=str(error), retry_in=seconds_of(error))
        except BadRequest as error:
            # The same edit twice does no harm: Telegram says so, and it is done.
            done = "not modified" in str(error).lower()
            return Sent(Delivery.DELIVERED if done else Delivery.FAILED, error="" if done else str(error))
        except NetworkError as error:
            return Sent(Delivery.QUEUED, error=str(error), retry_in=min(2.0**message.attempts, 60.0))
        except TelegramError as error:
            return Sent(Delivery.FAILED, error=str(error))
        return Sent(Delivery.DELIVERED, external_id=message.external_id)

    async def _text(self, chat_id: str, message: Message) -> TelegramMessage:
        language = message.conversation.language
        reply = _named(message, language)
        keyboard = render.keyboard(reply)
        body = render.html(reply, language)
        if len(body) <= render.MAX_TEXT:
            try:
                return await self.bot.send_message(
                    chat_id, body, parse_mode=ParseMode.HTML, reply_markup=keyboard, disable_web_page_preview=True
                )
            except BadRequest as error:
                logger.warning("Telegram refused the HTML of message %s (%s); sending it plain", message.pk, error)
        pieces = render.split(render.plain(reply, language))
        for piece in pieces[:-1]:
            await self.bot.send_message(chat_id, piece, disable_web_page_preview=True)
        return await self.bot.send_message(
            chat_id, pieces[-1], reply_markup=keyboard, disable_web_page_preview=True
        )

    async def _pin(self, chat_id: str, message: Message) -> None:
        place = message.payload.get("place")
        if not place or place.get("latitude") is None:
            return
        try:
            await self.bot.send_venue(
                chat_id, place["latitude"], place["longitude"], place["name"], place.get("address") or place["name"]
            )
        except TelegramError as error:  # the address stands in the text; a pin is worth no second message
            logger.warning("No map pin for message %s: %s", message.pk, error)

    async def _files(self, chat_id: str, message: Message) -> None:
        """Send what goes with an answer after it; should Telegram refuse a document, its address stands in the text."""
        for file in message.payload.get("files") or ():
            kind, number = file["kind"], int(file["url"].split("/")[3])
            given = await sync_to_async(media.read)(kind, number)
            if given is None:
                continue
            try:
                async with self._limiter(chat_id), self._total:
                    if kind == media.PICTURE:
                        await self.bot.send_photo(chat_id, given.content, caption=file["title"][:MAX_CAPTION])
                    else:
                        await self.bot.send_document(chat_id, given.content, filename=given.name)
            except TelegramError as error:
                logger.warning("No %s for message %s: %s", kind, message.pk, error)

    def _limiter(self, chat_id: str) -> AsyncLimiter:
        limiter = self._chats.pop(chat_id, None) or AsyncLimiter(
            CHAT_SECONDS * settings.TELEGRAM_CHAT_RATE, CHAT_SECONDS
        )
        self._chats[chat_id] = limiter
        while len(self._chats) > REMEMBERED_CHATS:
            self._chats.popitem(last=False)
        return limiter


def _named(message: Message, language: str) -> dict[str, Any]:
    """Return a reply as it is shown: an answer of the staff says that it is one."""
    reply = dict(message.payload)
    if message.author == Author.STAFF:
        ticket = message.ticket.number if message.ticket else ""
        reply["text"] = f"{say('staff_answer', language, ticket=ticket)}\n\n{reply['text']}"
    return reply


def seconds_of(error: RetryAfter) -> float:
    """Return how long Telegram asks to wait; the library is on its way from seconds to a timedelta."""
    wait = error.retry_after
    return float(getattr(wait, "total_seconds", lambda: wait)())


def may_have_arrived(error: NetworkError) -> bool:
    """Tell whether the request may have reached Telegram although no answer came back."""
    if isinstance(error.__cause__, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return False
    return isinstance(error, TimedOut) or isinstance(error.__cause__, (httpx.ReadError, httpx.RemoteProtocolError))
