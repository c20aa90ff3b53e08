"""Posts what waits in the staff group: topics are made (again) when they are missing, headers kept up to date."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import defaultdict

from aiolimiter import AsyncLimiter
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.utils import timezone
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.staff_group import feed, words
from bot.telegram.sender import may_have_arrived, seconds_of
from desk.models import AnswerState, Post, PostState, State, TicketEvent, Topic

logger = logging.getLogger(__name__)
# Telegram's limit in a group (core.telegram.org/bots/faq): 20 messages a minute.
GROUP_RATE, GROUP_SECONDS = 20, 60.0
EVERY_SECONDS = 1.0
# What Telegram says of a topic that is no more (lessons T12).
GONE = ("thread not found", "topic_deleted", "topic_closed", "topic_id_invalid")
LEASE = dt.timedelta(minutes=5)
MAX_ATTEMPTS = 400


class Poster:
    """Keeps the topics of the staff groups as the tickets are."""

    def __init__(self, bot: ExtBot, every: float = EVERY_SECONDS) -> None:
        self.bot = bot
        self.every = every
        self._limits: dict[int, AsyncLimiter] = defaultdict(lambda: AsyncLimiter(GROUP_RATE, GROUP_SECONDS))

    async def run(self) -> None:
        """Post until cancelled; whatever goes wrong is tried again."""
        while True:
            try:
                await self.round()
            except (DatabaseError, TelegramError) as error:
                logger.warning("The staff group is behind (%s); trying again", error)
            except Exception:  # the group is a convenience: its faults must not end the loop, nor the bot
                logger.exception("The staff group is behind; trying again")
            await asyncio.sleep(self.every)

    async def round(self) -> None:
        """Post everything that waits now, a topic after the other, each in order."""
        await sync_to_async(feed.fill)()
        await sync_to_async(_give_up_lost)()
        for topic_id in await sync_to_async(feed.waiting)():
            await self._work_off(topic_id)
        for topic in await sync_to_async(_stale_headers)():
            await self._edit_header(topic)

    async def _work_off(self, topic_id: int) -> None:
        remade = False
        while post := await sync_to_async(_claim)(topic_id):
            try:
                await self._post(post)
            except RetryAfter as error:
                await sync_to_async(_put_back)(post, seconds_of(error), error)
                return
            except BadRequest as error:
                if _is_gone(error) and not remade:
                    remade = True
                    await sync_to_async(_topic_is_gone)(post)
                    continue
                await sync_to_async(_end)(post, PostState.FAILED, error)
            except Forbidden as error:
                logger.error("The staff group does not let the bot in (%s): make it an administrator", error)
                await sync_to_async(_put_back)(post, 60.0, error)
                return
            except NetworkError as error:
                if may_have_arrived(error):
                    await sync_to_async(_end)(post, PostState.UNCERTAIN, error)
                else:
                    await sync_to_async(_put_back)(post, min(2.0**post.attempts, 60.0), error)
                    return

    async def _post(self, post: Post) -> None:
        topic = post.topic
        async with self._limits[topic.chat_id]:
            if topic.thread_id is None:
                made = await self.bot.create_forum_topic(topic.chat_id, words.topic_name(topic.ticket))
                topic.thread_id = made.message_thread_id
                await Topic.objects.filter(pk=topic.pk).aupdate(thread_id=topic.thread_id)
            keyboard = await sync_to_async(_keyboard)(post)
            sent = await self.bot.send_message(
                topic.chat_id, post.text, message_thread_id=topic.thread_id, reply_markup=keyboard,
                disable_web_page_preview=True,
            )
        await sync_to_async(_sent)(post, sent.message_id)

    async def _edit_header(self, topic: Topic) -> None:
        """Show everybody who has the ticket now: the claim button of a claimed one is taken away (lessons C23)."""
        text = words.header(topic.ticket)
        markup = _claim_button(topic) if words.can_be_claimed(topic.ticket) else None
        try:
            await self.bot.edit_message_text(
                text, topic.chat_id, topic.header_id, reply_markup=markup, disable_web_page_preview=True
            )
        except BadRequest as error:
            if "not modified" not in str(error).lower():
                logger.warning("A topic's header could not be edited: %s", error)
        await Post.objects.filter(topic=topic, external_id=topic.header_id, from_group=False).aupdate(text=text)


def _claim(topic_id: int) -> Post | None:
    now = timezone.now()
    first = Post.objects.filter(topic=topic_id, state=PostState.QUEUED).order_by("id").first()
    if first is None or (first.not_before and first.not_before > now):
        return None
    mine = Post.objects.filter(pk=first.pk, state=PostState.QUEUED).update(
        state=PostState.SENDING, attempts=first.attempts + 1, not_before=now + LEASE
    )
    return Post.objects.select_related("topic__ticket", "event").get(pk=first.pk) if mine else None


def _give_up_lost() -> None:
    """What was being sent when the bot died may have arrived: it is not sent again."""
    Post.objects.filter(state=PostState.SENDING, not_before__lt=timezone.now()).update(
        state=PostState.UNCERTAIN, error="broken off while it was being sent", not_before=None
    )


def _sent(post: Post, message_id: int) -> None:
    Post.objects.filter(pk=post.pk).update(state=PostState.SENT, external_id=message_id, error="", not_before=None)
    if post.event and post.event.type == TicketEvent.Type.OPENED:
        Topic.objects.filter(pk=post.topic_id).update(header_id=message_id)


def _put_back(post: Post, seconds: float, error: Exception) -> None:
    state = PostState.QUEUED if post.attempts < MAX_ATTEMPTS else PostState.FAILED
    Post.objects.filter(pk=post.pk).update(
        state=state, not_before=timezone.now() + dt.timedelta(seconds=seconds), error=str(error)[:300]
    )


def _end(post: Post, state: PostState, error: Exception) -> None:
    logger.warning("A post of the staff group ended as %s: %s", state.value, error)
    Post.objects.filter(pk=post.pk).update(state=state, error=str(error)[:300], not_before=None)


def _topic_is_gone(post: Post) -> None:
    """Have the topic made again, its header posted first, then the post that found it gone."""
    Topic.objects.filter(pk=post.topic_id).update(thread_id=None, header_id=None)
    header = Post.objects.filter(topic=post.topic_id, event__type=TicketEvent.Type.OPENED, from_group=False)
    header.update(state=PostState.QUEUED, external_id=None, not_before=None)
    Post.objects.filter(pk=post.pk).update(state=PostState.QUEUED, not_before=None)


def _is_gone(error: BadRequest) -> bool:
    said = str(error).lower()
    return any(words_ in said for words_ in GONE)


def _stale_headers() -> list[Topic]:
    """Return the topics whose header says something else than the ticket does."""
    rows = Topic.objects.filter(chat_id__in=feed.chats(), header_id__isnull=False).select_related("ticket__claimed_by")
    recent = rows.filter(ticket__updated_at__gte=timezone.now() - dt.timedelta(days=7))
    shown = dict(
        Post.objects.filter(topic__in=recent, event__type=TicketEvent.Type.OPENED).values_list("topic_id", "text")
    )
    return [topic for topic in recent if shown.get(topic.pk) not in (None, words.header(topic.ticket))]


def _keyboard(post: Post) -> InlineKeyboardMarkup | None:
    event = post.event
    if event is None:
        return None
    if event.type == TicketEvent.Type.OPENED and words.can_be_claimed(post.topic.ticket):
        return _claim_button(post.topic)
    if event.type == TicketEvent.Type.PROPOSED:
        written = post.topic.ticket.answers.filter(pk=event.data.get("answer"), state=AnswerState.PROPOSED).first()
        if written and post.topic.ticket.state != State.CLOSED:
            button = InlineKeyboardButton("Duyệt và gửi / Release", callback_data=f"s:release:{written.pk}")
            return InlineKeyboardMarkup([[button]])
    return None


def _claim_button(topic: Topic) -> InlineKeyboardMarkup:
    button = InlineKeyboardButton("Nhận xử lý / Claim", callback_data=f"s:claim:{topic.ticket_id}")
    return InlineKeyboardMarkup([[button]])
