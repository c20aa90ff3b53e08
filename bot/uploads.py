"""`POST /api/files`: a file sent on the web chat, as the body of the request (bot/web/openapi.yml describes it)."""

from __future__ import annotations

import dataclasses

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bot.api import BadRequest, error, incoming_of, logger
from bot.models import Conversation, Update
from bot.store import Incoming, SentFile
from desk import files
from desk.models import FileState, TicketFile


async def post_file(request: Request) -> Response:
    """Take one file and answer it like a message; one that belongs to no request is not read at all."""
    query = request.query_params
    body = {name: query.get(name) for name in ("conversation", "message_id", "language")} | {"text": ""}
    try:
        incoming = incoming_of(body, request)
        address = request.client.host if request.client else "-"
        if seconds := await request.app.state.limiter.seconds_to_wait(incoming.chat_id, address):
            return error(request, 429, "rate_limited", "rate_limited", seconds=seconds)
        if not await sync_to_async(_is_known)(incoming):
            conversation = await sync_to_async(_conversation)(incoming)
            if await sync_to_async(files.wanted)(conversation):
                data = await _read(request)
                file_id = await sync_to_async(_keep)(conversation, query.get("name", ""), data)
                incoming = dataclasses.replace(incoming, file=SentFile(id=file_id))
            else:
                incoming = dataclasses.replace(incoming, media="attachment")
        result = await request.app.state.desk.handle(incoming)
    except BadRequest as problem:
        return error(request, 400, "bad_request", "bad_request", detail=str(problem))
    except (DatabaseError, OSError):
        logger.exception("A file could not be stored")
        return error(request, 503, "busy", "busy", seconds=5)
    return JSONResponse(dataclasses.asdict(result))


def _is_known(incoming: Incoming) -> bool:
    """Tell whether this very upload has come before: it is answered with the same, and not stored again."""
    return Update.objects.filter(channel=incoming.channel, external_id=incoming.external_id).exists()


def _conversation(incoming: Incoming) -> Conversation:
    found, _ = Conversation.objects.get_or_create(channel=incoming.channel, chat_id=incoming.chat_id)
    return found


def _keep(conversation: Conversation, name: str, data: bytes | None) -> int:
    """Store a file, or the fact that it was refused; return its id."""
    file = TicketFile.objects.create(conversation=conversation, name=files.clean_name(name))
    if data is None:
        TicketFile.objects.filter(pk=file.pk).update(state=FileState.REFUSED, error="file_too_large")
        return file.pk
    try:
        files.keep(file, data)
    except files.FileRefused:
        pass  # the row says why, and the reply is made from it
    except OSError:
        file.delete()
        raise
    return file.pk


async def _read(request: Request) -> bytes | None:
    """Return the body, None when it is larger than a file may be: the rest is not read."""
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > settings.FILES_MAX_MB * 1024 * 1024:
                return None
    except ClientDisconnect as gone:
        raise BadRequest("body incomplete") from gone
    return bytes(data)
