"""Takes a file that somebody sends: fetched from its channel, checked, put on the request it belongs to.

The machine never looks into a file. One that belongs to no request is not even fetched.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.conf import settings

from bot.models import Conversation, Outcome
from bot.replies import Draft, Ending, text_reply
from desk import files
from desk.models import FileState, TicketFile

logger = logging.getLogger(__name__)

# Returns the bytes of a file that a channel names; raises FetchError.
Fetch = Callable[[str], Awaitable[bytes]]


class FetchError(Exception):
    """The channel does not give the file."""


@dataclass(frozen=True)
class Taken:
    """What became of a file: what is said about it, how the turn ends when nothing was written beside it, its name."""

    draft: Draft
    ending: Ending
    name: str


class Attachments:
    """The files of every channel; `fetchers` names the channels whose files lie elsewhere until they are fetched."""

    def __init__(self) -> None:
        self.fetchers: dict[str, Fetch] = {}

    async def take(self, file_id: int, conversation: Conversation, language: str) -> Taken:
        """Fetch, check and keep a file; whatever goes wrong is said to the person who sent it."""
        file = await TicketFile.objects.select_related("conversation").aget(pk=file_id)
        refused = Ending(outcome=Outcome.REFUSED, form=conversation.form, requested=conversation.requested)
        if not await sync_to_async(files.wanted)(conversation):
            await sync_to_async(files.erase)(file)
            return Taken(Draft(text=text_reply("media", language).text, human=True), refused, "")
        try:
            if file.state == FileState.PENDING:
                file = await sync_to_async(files.keep)(file, await self._fetch(conversation.channel, file))
            if file.state == FileState.REFUSED:
                raise files.FileRefused(file.error)
        except files.FileRefused as problem:
            return Taken(text_reply(problem.key, language, limit=settings.FILES_MAX_MB), refused, file.name)
        except FetchError as problem:
            logger.warning("File %s could not be fetched: %s", file.pk, problem)
            return Taken(text_reply("file_failed", language), refused, file.name)
        ticket = await sync_to_async(files.ticket_of)(conversation)
        if ticket is None:
            ending = Ending(outcome=Outcome.FORM, form=conversation.form, requested=conversation.requested)
            return Taken(text_reply("file_kept", language, name=file.name), ending, file.name)
        await sync_to_async(files.attach)(file, ticket)
        ending = Ending(outcome=Outcome.HANDED_OFF, ticket=ticket.number)
        return Taken(
            text_reply("file_on_ticket", language, name=file.name, ticket=ticket.number), ending, file.name
        )

    async def _fetch(self, channel: str, file: TicketFile) -> bytes:
        if file.size > settings.FILES_MAX_MB * 1024 * 1024:
            await TicketFile.objects.filter(pk=file.pk).aupdate(state=FileState.REFUSED, error="file_too_large")
            raise files.FileRefused("file_too_large")
        if channel not in self.fetchers:
            raise FetchError(f"nobody fetches files of {channel}")
        return await self.fetchers[channel](file.external_id)
