"""The Telegram channel as a running part: polling or webhook in, menu commands, typing."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from telegram import BotCommand, CallbackQuery, Update
from telegram.constants import ChatAction
from telegram.error import Conflict, InvalidToken, NetworkError, TelegramError
from telegram.ext import Application, ExtBot

from bot import store
from bot.attachments import FetchError
from bot.conversation import Desk
from bot.models import Conversation
from bot.models import Update as StoredUpdate
from bot.outbox import Outbox
from bot.staff_group import feed, incoming
from bot.staff_group.posting import Poster
from bot.store import Incoming
from bot.telegram import handlers
from bot.texts import say
from nlu.languages import DEFAULT, LANGUAGES

logger = logging.getLogger(__name__)
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
POLL_TIMEOUT = 30
TYPING_AFTER_SECONDS = 0.3
RETRY_SECONDS = 3.0
MAX_TAKES = 3


def build_application(token: str, base_url: str, proxy: str = "") -> Application:
    """Return python-telegram-bot's application with our handlers, without its updater (updates are stored first)."""
    builder = Application.builder().token(token).base_url(f"{base_url}/bot").base_file_url(f"{base_url}/file/bot")
    builder = builder.updater(None)
    if proxy:
        builder = builder.proxy(proxy).get_updates_proxy(proxy)
    # The long poll must outlast its own waiting time.
    builder = builder.get_updates_read_timeout(POLL_TIMEOUT + 10)
    application = builder.build()
    incoming.register(application)
    handlers.register(application)
    return application


class TelegramChannel:
    """Takes Telegram's updates in; each is stored before it is acknowledged."""

    def __init__(self, application: Application, desk: Desk, outbox: Outbox) -> None:
        self.application = application
        self.desk = desk
        self.outbox = outbox
        self._errors: dict[int, Exception] = {}
        self._attempts: dict[int, int] = {}
        self._polling: asyncio.Task[None] | None = None
        self._posting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        desk.attachments.fetchers[handlers.CHANNEL] = self.fetch
        application.bot_data["channel"] = self
        application.add_error_handler(self._remember_failure)

    @property
    def bot(self) -> ExtBot:
        """Return python-telegram-bot's client."""
        return self.application.bot

    async def start(self) -> None:
        """Sign in, publish the menus, work off what a crash left, and begin to take updates."""
        while True:
            try:
                await self.application.initialize()
                break
            except InvalidToken:
                logger.error(
                    "Telegram refuses CITYDESK_TELEGRAM_TOKEN. Ask @BotFather for the right one; web chat runs on."
                )
                return
            except NetworkError as error:
                logger.warning("Telegram cannot be reached (%s); trying again in 10 s, web chat runs on.", error)
                await asyncio.sleep(10)
        if feed.chats():
            self._posting = asyncio.create_task(Poster(self.bot).run())
        await self._publish_menus()
        for update_id in await sync_to_async(store.unfinished)(handlers.CHANNEL):
            self._work_off(await sync_to_async(store.read)(update_id))
        if settings.TELEGRAM_WEBHOOK_URL:
            await self.bot.set_webhook(
                f"{settings.TELEGRAM_WEBHOOK_URL}/telegram/webhook",
                secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
                allowed_updates=ALLOWED_UPDATES,
            )
            logger.info("Telegram: @%s by webhook", self.bot.username)
        else:
            await self.bot.delete_webhook()
            self._polling = asyncio.create_task(self._poll())
            logger.info("Telegram: @%s by long polling", self.bot.username)

    async def stop(self) -> None:
        """Stop taking updates; what was stored and not worked off is done after the next start."""
        for task in (self._polling, self._posting):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        await self.application.shutdown()

    async def take(self, raw: dict[str, Any]) -> None:
        """Store one update as Telegram sent it; raises RuntimeError when it could not be stored.

        Raises ValueError when it is no update.
        """
        try:
            update = Update.de_json(raw, self.bot)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        await self.application.process_update(update)
        error = self._errors.pop(update.update_id, None)
        if error is None:
            return
        attempts = self._attempts.pop(update.update_id, 0) + 1
        if not isinstance(error, DatabaseError) and attempts >= MAX_TAKES:
            # A fault of ours that this update brings out every time must not hold up all others behind it.
            logger.error("Update %s is given up after %s attempts", update.update_id, attempts)
            return
        self._attempts[update.update_id] = attempts
        raise RuntimeError(f"update {update.update_id} could not be stored")

    async def accept(self, said: Incoming) -> None:
        """Store a message and start to work it off (called by the handlers)."""
        update, new = await sync_to_async(store.receive)(said)
        if new:
            self._work_off(update, said.chat_id)

    def stop_spinner(self, query: CallbackQuery) -> None:
        """Tell the reader's app that the button was taken, without waiting for it."""

        async def run() -> None:
            try:
                await query.answer()
            except TelegramError:  # too old, mostly after a restart: the reply itself is what counts
                logger.debug("A button's spinner could not be stopped")

        self._spawn(run())

    async def fetch(self, file_id: str) -> bytes:
        """Return the bytes of a file that somebody sent; raises FetchError."""
        try:
            file = await self.bot.get_file(file_id)
            return bytes(await file.download_as_bytearray())
        except TelegramError as error:
            raise FetchError(str(error)) from error

    async def mark_reachable(self, chat_id: str, reachable: bool) -> None:
        """Note whether a chat can be written to."""
        await Conversation.objects.filter(channel=handlers.CHANNEL, chat_id=chat_id).aupdate(unreachable=not reachable)

    def secret_matches(self, given: str) -> bool:
        """Compare the webhook's secret in constant time."""
        return hmac.compare_digest(given.encode(), settings.TELEGRAM_WEBHOOK_SECRET.encode())

    def _work_off(self, update: StoredUpdate, chat_id: str | None = None) -> None:
        async def run() -> None:
            typing = asyncio.create_task(self._typing(chat_id)) if chat_id else None
            while True:
                try:
                    await self.desk.work_off(update)
                    break
                except DatabaseError as error:  # Telegram has been told that we have it: it must not wait for a restart
                    logger.warning("Update %s could not be worked off (%s); trying again", update.pk, error)
                    await asyncio.sleep(RETRY_SECONDS)
            self.outbox.kick()
            if typing:
                typing.cancel()

        self._spawn(run())

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            logger.error("A Telegram update could not be worked off; it is kept", exc_info=task.exception())

    async def _typing(self, chat_id: str) -> None:
        # Most answers are there before anyone could read "typing"; it costs a request to Telegram.
        await asyncio.sleep(TYPING_AFTER_SECONDS)
        try:
            await self.bot.send_chat_action(chat_id, ChatAction.TYPING)
        except TelegramError:  # an ornament: its loss is not worth a line
            logger.debug("No typing indicator for a chat")

    async def _remember_failure(self, update: object, context: Any) -> None:
        logger.error("Update could not be stored", exc_info=context.error)
        if isinstance(update, Update):
            self._errors[update.update_id] = context.error

    async def _poll(self) -> None:
        """Long-poll; the next offset (Telegram's acknowledgement) is sent only after everything before is stored."""
        offset = None
        while True:
            try:
                updates = await self.bot.get_updates(
                    offset=offset, timeout=POLL_TIMEOUT, allowed_updates=ALLOWED_UPDATES
                )
                for update in updates:
                    await self.take(update.to_dict())
                    offset = update.update_id + 1
            except Conflict:
                logger.error("Another process polls with the same Telegram token; stop one. Trying again in 30 s.")
                await asyncio.sleep(30)
            except TelegramError as error:
                logger.warning("Telegram polling: %s; trying again in 5 s", error)
                await asyncio.sleep(5)
            except RuntimeError as error:
                logger.error("%s; Telegram will send it again", error)
                await asyncio.sleep(2)

    async def _publish_menus(self) -> None:
        try:
            for code in [None, *(language.telegram for language in LANGUAGES)]:
                menu = [
                    BotCommand(command, say(f"command_{command}", code or DEFAULT)) for command in handlers.COMMANDS
                ]
                await self.bot.set_my_commands(menu, language_code=code)
        except TelegramError as error:
            logger.warning("The command menus could not be published: %s", error)
