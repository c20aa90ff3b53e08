"""The JSON API of the web chat (bot/web/openapi.yml describes it), and the Telegram webhook."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from limits import parse
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot import own_data, store
from bot.errors import BotError
from bot.store import Incoming
from bot.texts import say
from nlu.languages import DEFAULT, supported

logger = logging.getLogger(__name__)
MAX_BODY = 64 * 1024
MAX_ID = 200
HEARTBEAT_SECONDS = 20.0


class BadRequest(BotError):
    """A request that is not in the form the API documents; says what is wrong with it."""


class Limiter:
    """The rate limits of the API: by conversation, and ten times that by address (a hotel shares one)."""

    def __init__(self, limit: str, storage: str) -> None:
        self._limit = parse(limit)
        self._address_limit = parse(f"{self._limit.amount * 10}/{self._limit.multiples} {self._limit.GRANULARITY.name}")
        # Two counters a key: keeping every hit's moment cost 5 ms a message under load.
        self._strategy = SlidingWindowCounterRateLimiter(storage_from_string(f"async+{storage}"))

    async def seconds_to_wait(self, conversation: str, address: str) -> int:
        """Count one request; return 0 when it may go on, else the seconds until the next may."""
        for limit, key in ((self._limit, conversation), (self._address_limit, address)):
            if not await self._strategy.hit(limit, limit.GRANULARITY.name, key):
                window = await self._strategy.get_window_stats(limit, limit.GRANULARITY.name, key)
                return max(1, int(window.reset_time - time.time()) + 1)
        return 0


def error(request: Request, status: int, code: str, key: str, **values: object) -> JSONResponse:
    """Return an error in the reader's language (their choice, else their browser's)."""
    language = _browser_language(request) or DEFAULT
    headers = {"Retry-After": str(values["seconds"])} if "seconds" in values else None
    return JSONResponse(
        {"error": {"code": code, "message": say(key, language, **values)}}, status_code=status, headers=headers
    )


async def post_message(request: Request) -> Response:
    """Take one message or button and answer it."""
    try:
        incoming = incoming_of(await _body(request), request)
    except BadRequest as problem:
        return error(request, 400, "bad_request", "bad_request", detail=str(problem))
    address = request.client.host if request.client else "-"
    if seconds := await request.app.state.limiter.seconds_to_wait(incoming.chat_id, address):
        return error(request, 429, "rate_limited", "rate_limited", seconds=seconds)
    try:
        result = await request.app.state.desk.handle(incoming)
    except DatabaseError:
        logger.exception("The database did not take a message")
        return error(request, 503, "busy", "busy", seconds=5)
    return JSONResponse(dataclasses.asdict(result))


async def get_messages(request: Request) -> Response:
    """Return what was said after a message id: the way later answers (staff's above all) are fetched."""
    try:
        conversation, after = _reader(request)
    except BadRequest as problem:
        return error(request, 400, "bad_request", "bad_request", detail=str(problem))
    replies = await sync_to_async(store.waiting)("web", conversation, after)
    return JSONResponse({"replies": replies, "typing": False})


async def get_mydata(request: Request) -> Response:
    """Return everything that is held about a conversation, as a file to keep (the message is `/mydata`)."""
    try:
        conversation, _ = _reader(request)
    except BadRequest as problem:
        return error(request, 400, "bad_request", "bad_request", detail=str(problem))
    address = request.client.host if request.client else "-"
    if seconds := await request.app.state.limiter.seconds_to_wait(conversation, address):
        return error(request, 429, "rate_limited", "rate_limited", seconds=seconds)
    held = await sync_to_async(own_data.as_json)("web", conversation)
    return Response(
        json.dumps(held, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="citydesk.json"', "Cache-Control": "no-store"},
    )


async def get_events(request: Request) -> Response:
    """Stream what is said after a message id as server-sent events."""
    try:
        conversation, after = _reader(request)
    except BadRequest as problem:
        return error(request, 400, "bad_request", "bad_request", detail=str(problem))
    after = max(after, int(request.headers.get("last-event-id") or 0)) if _is_number(request) else after
    return StreamingResponse(
        _stream(request, conversation, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, conversation: str, after: int) -> AsyncIterator[str]:
    outbox = request.app.state.outbox
    event = outbox.listen("web", conversation)
    try:
        yield ": open\n\n"
        while not await request.is_disconnected() and not request.app.state.stopping.is_set():
            event.clear()
            for reply in await sync_to_async(store.waiting)("web", conversation, after):
                after = reply["id"]
                yield f"event: reply\nid: {after}\ndata: {json.dumps(reply, ensure_ascii=False)}\n\n"
            try:
                await asyncio.wait_for(event.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        outbox.forget("web", conversation, event)


async def telegram_webhook(request: Request) -> Response:
    """Take an update from Telegram: the secret is checked, the update stored, then it is acknowledged."""
    channel = request.app.state.telegram
    if channel is None or not settings.TELEGRAM_WEBHOOK_SECRET:
        raise HTTPException(404)
    if not channel.secret_matches(request.headers.get("x-telegram-bot-api-secret-token", "")):
        raise HTTPException(403)
    try:
        await channel.take(await _body(request))
    except (BadRequest, ValueError) as problem:
        return error(request, 400, "bad_request", "bad_request", detail=str(problem))
    except (RuntimeError, DatabaseError):
        return error(request, 503, "busy", "busy", seconds=5)
    return Response(status_code=200)


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY:
                raise BadRequest(f"body > {MAX_BODY // 1024} KiB")
    except ClientDisconnect as gone:
        raise BadRequest("body incomplete") from gone
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise BadRequest(f"JSON: {problem}"[:200]) from problem
    if not isinstance(body, dict):
        raise BadRequest('JSON object {"conversation": …, "text": …}')
    return body


def _browser_language(request: Request) -> str | None:
    return supported(request.headers.get("accept-language", "").split(",")[0].split(";")[0])


def incoming_of(body: dict[str, Any], request: Request) -> Incoming:
    """Return the message that a request's body stands for; raises BadRequest."""
    return _incoming(body, _browser_language(request))


def _incoming(body: dict[str, Any], hint: str | None) -> Incoming:
    conversation = body.get("conversation")
    text, button, language = body.get("text"), body.get("button"), body.get("language")
    message_id = body.get("message_id")
    if not isinstance(conversation, str) or not 1 <= len(conversation) <= MAX_ID:
        raise BadRequest(f'"conversation": string, 1–{MAX_ID}')
    for name, value in (("text", text), ("button", button), ("language", language), ("message_id", message_id)):
        if value is not None and not isinstance(value, str):
            raise BadRequest(f'"{name}": string | null')
    if (text is None) == (button is None):
        raise BadRequest('"text" | "button"')
    if language is not None and supported(language) is None:
        raise BadRequest('"language": "vi" | "en" | "zh" | "ko" | "ja" | "fr" | "ru" | null')
    if message_id is not None and len(message_id) > MAX_ID:
        raise BadRequest(f'"message_id": string, ≤ {MAX_ID}')
    unique = f"{conversation}\n{message_id}" if message_id else secrets.token_hex(16)
    return Incoming(
        channel="web",
        chat_id=store.storable(conversation),
        external_id=hashlib.sha256(unique.encode("utf-8", "surrogatepass")).hexdigest(),
        text=text or "",
        button=button or None,
        language=language,
        hint=hint,
    )


def _reader(request: Request) -> tuple[str, int]:
    conversation = request.query_params.get("conversation", "")
    after = request.query_params.get("after", "0")
    if not 1 <= len(conversation) <= MAX_ID:
        raise BadRequest(f"conversation: 1–{MAX_ID}")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadRequest("after: 0, 1, 2 …")
    return store.storable(conversation), int(after)


def _is_number(request: Request) -> bool:
    value = request.headers.get("last-event-id", "")
    return value.isascii() and value.isdigit() and len(value) < 19
