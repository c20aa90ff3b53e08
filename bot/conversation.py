"""The one path of a message, the same for every channel: store, gate, clean, language, dialogue, outcome, outbox."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import weakref
from typing import Any

from asgiref.sync import sync_to_async

from bot import fallback, pauses, replying, store
from bot.attachments import Attachments, Taken
from bot.dialogue import Dialogue
from bot.errors import DialogueError, UnknownButton
from bot.models import Conversation, Handler, Outcome, Update
from bot.orders import own_order, typed_order
from bot.replies import Draft, Ending, read_items, text_reply
from bot.store import Incoming, Result
from desk.pauses import active
from knowledge.client import SearchClient
from nlu.language import choose_language
from nlu.languages import DEFAULT, supported
from nlu.person import asks_for_person
from nlu.text import MAX_LENGTH, Cleaned, clean

logger = logging.getLogger(__name__)
# While the action server starts, Rasa takes what it cannot do for a question.
MISREAD = (Outcome.ANSWERED, Outcome.CLARIFY, Outcome.NOT_KNOWN)


class Desk:
    """Works off incoming messages: in order within a chat, side by side across chats."""

    def __init__(self, dialogue: Dialogue, search: SearchClient) -> None:
        self.dialogue = dialogue
        self.search = search
        self.attachments = Attachments()
        # asyncio.Lock wakes its waiters first in, first out: that is the order per chat.
        self._locks: weakref.WeakValueDictionary[int, asyncio.Lock] = weakref.WeakValueDictionary()
        # Turns ended in this process: what was read before one ended may be stale after it.
        self.turns_ended = 0

    async def handle(self, incoming: Incoming) -> Result:
        """Store a message, work it off and return what it led to; a repeat returns what the first one led to."""
        turns_ended = self.turns_ended
        update, new = await sync_to_async(store.receive)(incoming)
        fresh = new and turns_ended == self.turns_ended
        return await self.work_off(update, fresh=fresh, fetched=incoming.channel in store.FETCHED)

    async def work_off(self, update: Update, *, fresh: bool = False, fetched: bool = False) -> Result:
        """Work off a stored update when its turn in the chat comes; one already done is not done again.

        `fresh` says that no turn has ended since the update and its conversation were read: they need not be read
        again, unless somebody is at work in the chat right now.
        """
        lock = self._locks.setdefault(update.conversation_id, asyncio.Lock())
        fresh = fresh and not lock.locked()
        async with lock:
            if not fresh:
                if done := await sync_to_async(store.result_of)(update):
                    return done
                update = await sync_to_async(store.read)(update.pk)
            try:
                return await self._turn(update, update.conversation, fetched, again=not fresh)
            finally:
                self.turns_ended += 1

    async def _turn(self, update: Update, conversation: Conversation, fetched: bool, again: bool) -> Result:
        started = time.perf_counter()
        incoming: dict[str, Any] = update.payload
        hint = supported(incoming.get("hint"))
        language = supported(incoming.get("language")) or conversation.language or hint or DEFAULT
        text, order = "", incoming.get("order") or typed_order(incoming.get("text", ""))
        drafts: list[Draft] = []
        ending = Ending()
        try:
            cleaned = clean(incoming.get("text", ""))
            text = cleaned.text
            taken = None
            if incoming.get("file"):
                taken = await self.attachments.take(incoming["file"], conversation, language)
            if incoming.get("button"):
                order = await sync_to_async(store.order_of)(conversation, incoming["button"])
            if conversation.replying_to_id and (order or _says_something(text)):
                if replied := await self._reply(update, incoming, cleaned, order, taken, started, fetched):
                    return replied
                order = replying.CANCEL if order == "/cancel" else order
            # What we carry out ourselves (a person's data, their language) does not wait for the staff.
            if conversation.handler == Handler.STAFF and (not order or order.startswith("/")) and (
                heard := await sync_to_async(store.hear_for_staff)(update, _as_staff_see(incoming, text, taken))
            ):
                return heard
            # A typed command is in no language.
            language = self._language(incoming, conversation, "" if order else text)
            if supported(incoming.get("language")):
                ending.language = language
            if cleaned.truncated:
                drafts.append(text_reply("truncated", language, limit=MAX_LENGTH))
            if taken:
                drafts.append(taken.draft)
            if taken and not text:
                said, ended = [], taken.ending
            else:
                said, ended = await self._say(update, incoming, text, order, language, again)
            drafts += said
            text = _with_file(text, taken)
            ended.language = ended.language or ending.language
            ending = ended
        except UnknownButton:
            drafts, ending = [text_reply("unknown_button", language)], _refused(conversation)
        except Exception:  # whatever went wrong, the person is told and the message stays (lessons R7)
            logger.exception("Update %s failed", update.pk)
            drafts = [Draft(text=text_reply("failed", language).text, human=True)]
            ending = Ending(outcome=Outcome.FAILED, form=conversation.form, requested=conversation.requested)
        return await sync_to_async(store.commit_turn)(
            update, conversation.epoch, text, language, drafts, ending, (time.perf_counter() - started) * 1000,
            fetched=fetched,
        )

    async def _reply(
        self, update: Update, incoming: dict[str, Any], cleaned: Cleaned, order: str | None, taken: Taken | None,
        started: float, fetched: bool,
    ) -> Result | None:
        """Put the words that were waited for on their ticket; an order instead of words ends the waiting."""
        conversation = update.conversation
        if order:
            await sync_to_async(replying.stop)(conversation)
            return None
        language = self._language(incoming, conversation, cleaned.text)
        drafts = [text_reply("truncated", language, limit=MAX_LENGTH)] if cleaned.truncated else []
        ending = Ending(form=conversation.form, requested=conversation.requested)
        ending.language = supported(incoming.get("language"))
        return await sync_to_async(replying.take)(
            update, _with_file(cleaned.text, taken), language, drafts, ending, (time.perf_counter() - started) * 1000,
            fetched=fetched,
        )

    def _language(self, incoming: dict[str, Any], conversation: Conversation, text: str) -> str:
        chosen = supported(incoming.get("language"))
        if not chosen and conversation.language_chosen:
            chosen = conversation.language
        previous = conversation.language or None
        return choose_language(text, chosen=chosen, previous=previous, hint=supported(incoming.get("hint")))

    async def _say(
        self, update: Update, incoming: dict[str, Any], text: str, order: str | None, language: str, again: bool
    ) -> tuple[list[Draft], Ending]:
        conversation = update.conversation
        if incoming.get("media"):
            return [Draft(text=text_reply("media", language).text, human=True)], _refused(conversation)
        if order and not order.startswith("/"):
            return await sync_to_async(own_order)(order, update, language)
        if not order and not _says_something(text):
            return [text_reply("empty", language)], _refused(conversation)
        message = _with_language(order, language) if order else text
        # Worked off a second time after a crash: what it did then counts.
        if again and (number := await sync_to_async(store.ticket_opened_by)(update)):
            return fallback.opened(number, conversation, language)
        if paused := (await sync_to_async(active)()).get(pauses.WHOLE):
            handed = await fallback.to_people(conversation, text, order, language)
            return handed or pauses.ending(paused, language, conversation.form, conversation.requested)
        metadata = {"language": language, "requested": conversation.requested, "channel": conversation.channel}
        try:
            said, ending = read_items(await self.dialogue.send(conversation.sender, message, metadata))
            if ending.outcome in MISREAD and not ending.form and asks_for_person(text):
                raise DialogueError("a call for a person was taken for a question: its action was not there")
            return said, ending
        except DialogueError as error:
            logger.warning("The dialogue engine failed, answering without it: %s", error)
            if number := await sync_to_async(store.ticket_opened_by)(update):
                return fallback.opened(number, conversation, language)
            return await fallback.answer(conversation, text, order, language, self.search)


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _as_staff_see(incoming: dict[str, Any], text: str, taken: Taken | None) -> str:
    """Return what a ticket records of a message: an edit is marked as one, it replaces words that staff have read."""
    shown = _with_file(text, taken)
    return f"✏️ {shown}" if incoming.get("edited") else shown


def _with_file(text: str, taken: Taken | None) -> str:
    """Return what the transcript shows of a message that came with a file."""
    return f"{text} 📎 {taken.name}".strip() if taken and taken.name else text


def _refused(conversation: Conversation) -> Ending:
    """Return the ending of a message that we cannot use; an open form stays open."""
    return Ending(outcome=Outcome.REFUSED, form=conversation.form, requested=conversation.requested)


def _with_language(order: str, language: str) -> str:
    """Return an order with the language among its entities: Rasa skips the NLU pipeline for orders."""
    intent, brace, rest = order.partition("{")
    entities = json.loads(brace + rest) if brace else {}
    return intent + json.dumps({"language": language, **entities}, ensure_ascii=False)
