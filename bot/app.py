"""The `bot` process: web chat, JSON API, Telegram, and the outbox, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot import api, pauses, store
from bot.conversation import Desk
from bot.dialogue import Dialogue
from bot.headers import SecurityHeaders
from bot.media import get_file
from bot.outbox import Outbox
from bot.uploads import post_file
from desk.pauses import active
from knowledge.answers import starter_questions
from knowledge.client import SearchClient
from nlu.languages import DEFAULT, supported

logger = logging.getLogger(__name__)
WEB = Path(__file__).resolve().parent / "web"
# The page loads nothing from elsewhere; only the widget's page may stand in other sites' frames.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors {}"
)


def page(ancestors: str, *, embedded: bool = False) -> Any:
    """Return an endpoint that serves the chat page under our content policy; in the widget's frame it has a class."""

    async def endpoint(request: Request) -> Response:
        html = (WEB / "index.html").read_text(encoding="utf-8")
        if embedded:
            html = html.replace("<body>", '<body class="embedded">', 1)
        return HTMLResponse(
            html,
            headers={
                "Content-Security-Policy": PAGE_POLICY.format(ancestors),
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-cache",
            },
        )

    return endpoint


@lru_cache(maxsize=1)
def _interface_texts() -> dict[str, dict[str, str]]:
    return yaml.safe_load((WEB / "texts.yml").read_text(encoding="utf-8"))


def _asked_language(request: Request) -> str:
    return supported(request.query_params.get("language")) or DEFAULT


async def get_texts(request: Request) -> Response:
    """Return the interface's texts in one language."""
    language = _asked_language(request)
    texts = {key: variants[language] for key, variants in _interface_texts().items()}
    facts = {
        "city": settings.CITY_NAME, "days": settings.RETENTION_DAYS, "ticket_days": settings.RETENTION_TICKETS_DAYS,
    }
    return JSONResponse({"language": language, "texts": texts, **facts})


async def get_topics(request: Request) -> Response:
    """Return the questions to start with, the most asked first."""
    language = _asked_language(request)
    return JSONResponse({"questions": await sync_to_async(_starters)(language)})


def _starters(language: str) -> list[str]:
    paused = active()
    return [] if pauses.WHOLE in paused else starter_questions(language, 4, paused)


async def get_openapi(request: Request) -> Response:
    """Return the description of this API."""
    return JSONResponse(yaml.safe_load((WEB / "openapi.yml").read_text(encoding="utf-8")))


async def widget(request: Request) -> Response:
    """Return the one script that a portal embeds."""
    return FileResponse(
        WEB / "widget.js", media_type="text/javascript", headers={"Cache-Control": "max-age=3600"}
    )


async def health(request: Request) -> Response:
    """Tell whether this process can do its work; needs the database, nothing else."""
    await sync_to_async(connection.ensure_connection)()
    telegram = request.app.state.telegram
    return JSONResponse({"status": "ok", "telegram": "on" if telegram else "off"})


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Start what runs beside the requests, and stop it in the reverse order."""
    state = app.state
    state.stopping = asyncio.Event()
    state.limiter = api.Limiter(settings.API_RATE_LIMIT, settings.API_RATE_LIMIT_STORAGE)
    dialogue = Dialogue(settings.RASA_URL, settings.RASA_TIMEOUT)
    search = SearchClient(settings.KNOWLEDGE_URL, settings.KNOWLEDGE_TIMEOUT)
    state.desk = Desk(dialogue, search)
    state.outbox = Outbox(settings.OUTBOX_POLL_SECONDS)
    state.telegram = None
    tasks = [asyncio.create_task(state.outbox.run()), asyncio.create_task(_finish_left_over(state))]
    if settings.TELEGRAM_TOKEN:
        state.telegram, started = _telegram(state)
        tasks.append(started)
    else:
        logger.info("Telegram is off. To turn it on, set CITYDESK_TELEGRAM_TOKEN to a token from @BotFather.")
    try:
        yield
    finally:
        state.stopping.set()
        if state.telegram:
            await state.telegram.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await dialogue.aclose()
        await search.aclose()


def _telegram(state: Any) -> tuple[Any, asyncio.Task[None]]:
    from bot.telegram.channel import TelegramChannel, build_application
    from bot.telegram.sender import TelegramSender

    application = build_application(settings.TELEGRAM_TOKEN, settings.TELEGRAM_API_URL, settings.TELEGRAM_PROXY)
    channel = TelegramChannel(application, state.desk, state.outbox)
    sender = TelegramSender(application.bot)
    state.outbox.add("telegram", sender, sender.edit)
    return channel, asyncio.create_task(channel.start())


async def _finish_left_over(state: Any) -> None:
    """Work off web messages that a crash left behind; their readers fetch the replies when they come back."""
    for update_id in await sync_to_async(store.unfinished)("web"):
        try:
            await state.desk.work_off(await sync_to_async(store.read)(update_id))
        except Exception:  # the others must not be lost because one fails
            logger.exception("Update %s is still unfinished", update_id)


class Revalidated(StaticFiles):
    """Static files that browsers ask for again (and mostly need not load): pages and scripts of one version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or "not modified"."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def build_app() -> Starlette:
    """Return the web application."""
    portals = " ".join(["'self'", *settings.WIDGET_ORIGINS])
    routes = [
        Route("/", page("'self'")),
        Route("/embed", page(portals, embedded=True)),
        Route("/widget.js", widget),
        Route("/api/messages", api.post_message, methods=["POST"]),
        Route("/api/messages", api.get_messages, methods=["GET"]),
        Route("/api/events", api.get_events),
        Route("/api/mydata", api.get_mydata),
        Route("/api/files", post_file, methods=["POST"]),
        Route("/files/{kind}/{number:int}/{name}", get_file),
        Route("/api/texts", get_texts),
        Route("/api/topics", get_topics),
        Route("/api/openapi.json", get_openapi),
        Route("/telegram/webhook", api.telegram_webhook, methods=["POST"]),
        Route("/healthz", health),
        Mount("/static", Revalidated(directory=WEB)),
    ]
    cors = Middleware(
        CORSMiddleware, allow_origins=settings.WIDGET_ORIGINS, allow_methods=["GET", "POST"], allow_headers=["*"]
    )
    headers = Middleware(SecurityHeaders, hsts_seconds=getattr(settings, "SECURE_HSTS_SECONDS", 0))
    return Starlette(routes=routes, middleware=[headers, cors], lifespan=lifespan)
