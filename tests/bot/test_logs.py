"""Nobody's words stand in the logs, whatever goes wrong, at the most talkative level."""

from __future__ import annotations

import asyncio
import copy
import io
import logging
import logging.config
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, IntegrityError, OperationalError

from bot import api, attachments, fallback, orders, own_data, replying, store
from bot.app import build_app
from bot.outbox import Outbox
from desk import erasure, files, logs, tickets
from knowledge.client import SearchClient

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "Zanzibar-7391"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the settings' own handlers write, with our loggers at DEBUG."""
    before = {name: logging.getLogger(name).level for name in ("", *django_settings.LOGGING["loggers"])}
    root = logging.getLogger()
    handlers = root.handlers[:]
    config = copy.deepcopy(django_settings.LOGGING)
    written = io.StringIO()
    config["handlers"]["console"]["stream"] = written
    for each in config["loggers"].values():
        each["level"] = "DEBUG"
    logging.config.dictConfig(config)
    yield written
    root.handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
async def client(bot_desk, lines, memory, folder) -> httpx.AsyncClient:
    app = build_app()
    app.state.desk, app.state.outbox, app.state.telegram = bot_desk, Outbox(0.05), None
    app.state.limiter = api.Limiter("1000/minute", "memory://")
    app.state.stopping = asyncio.Event()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


async def say(client: httpx.AsyncClient, text: str, number: int = 1) -> httpx.Response:
    return await client.post(
        "/api/messages", json={"conversation": CANARY, "text": text, "message_id": f"{CANARY}-{number}"}
    )


QUESTION = f"Where is {CANARY}, and when does it open?"


async def test_an_ordinary_message(client, lines, rasa) -> None:
    assert (await say(client, QUESTION)).status_code == 200
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout(CANARY),
        httpx.ConnectError(f"cannot send {CANARY}"),
        ValueError(CANARY),
        httpx.InvalidURL(CANARY),
        KeyError(CANARY),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_the_dialogue_engine_and_the_search_fail_with_the_words_in_their_errors(
    client, lines, rasa, search, bot_desk, failure
) -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise failure

    rasa.error = failure
    bot_desk.search = SearchClient("http://knowledge", 5, transport=httpx.MockTransport(fails))
    for number, text in enumerate((QUESTION, f"I am a journalist: {CANARY}", f"{CANARY} /human"), 1):
        assert (await say(client, text, number)).status_code == 200
    assert lines.getvalue()  # the failure itself is in the log
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    "items",
    [
        [{"text": CANARY}],
        [{"custom": {"kind": "turn", "outcome": CANARY}}],
        [{"custom": {"kind": CANARY}}, {"custom": {"kind": "turn", "outcome": "answered", "score": CANARY}}],
        {"error": CANARY},
        CANARY,
    ],
    ids=["no turn", "wrong outcome", "wrong score", "an object", "a word"],
)
async def test_the_dialogue_engine_answers_nonsense(client, lines, rasa, items) -> None:
    rasa.items = items
    await say(client, QUESTION)
    assert CANARY not in lines.getvalue()


class Broken(Exception):
    """Somebody else's exception that quotes what it was given."""


Broken.__module__ = "elsewhere"
ERRORS = [OperationalError, IntegrityError, DatabaseError, OSError, ValueError, Broken]
PLACES = [
    (store, "receive", QUESTION),
    (store, "commit_turn", QUESTION),
    (store, "result_of", QUESTION),
    (fallback, "answer", QUESTION),
    (tickets, "event", f"I am a journalist: {CANARY}"),
    (own_data, "as_text", "/mydata"),
    (orders, "typed_order", QUESTION),
    (replying, "stop", QUESTION),
    (erasure, "withdraw", f"/withdraw {CANARY}"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda each: each.__name__)
@pytest.mark.parametrize(("module", "name", "text"), PLACES, ids=[name for _, name, _ in PLACES])
async def test_every_step_fails_with_the_words_in_its_error(
    client, lines, rasa, monkeypatch, error, module, name, text
) -> None:
    def fails(*_, **__):
        try:
            raise ValueError(f"the cause quotes {CANARY}")
        except ValueError as cause:
            raise error(f'DETAIL: Failing row contains (17, "{CANARY}")') from cause

    rasa.items = []
    monkeypatch.setattr(module, name, fails)
    await say(client, text)
    assert CANARY not in lines.getvalue()


async def test_a_file_with_a_telling_name(client, lines, rasa, monkeypatch) -> None:
    rasa.items = [
        {"text": "Which?"},
        {"custom": {"kind": "turn", "outcome": "form", "form": "press", "requested": "press_outlet"}},
    ]
    await say(client, QUESTION)

    def full(*_):
        raise OSError(28, f"No space left for {CANARY}", CANARY)

    for module in (files, attachments.files):
        monkeypatch.setattr(module, "keep", full)
    query = {"conversation": CANARY, "name": f"{CANARY}.pdf"}
    response = await client.post("/api/files", params=query, content=b"%PDF-1.4 " + CANARY.encode())
    assert response.status_code == 503
    assert "No space left on device" in lines.getvalue()
    assert CANARY not in lines.getvalue()


async def test_requests_in_no_form_at_all(client, lines) -> None:
    for body in (f'{{"text": "{CANARY}"', f'{{"conversation": 1, "text": "{CANARY}"}}', CANARY):
        await client.post("/api/messages", content=body.encode())
    await client.get("/api/mydata", params={"conversation": CANARY})
    await client.get("/api/messages", params={"conversation": CANARY, "after": CANARY})
    assert CANARY not in lines.getvalue()


def test_a_line_says_what_happened_all_the_same(lines) -> None:
    logger = logging.getLogger("bot.somewhere")
    try:
        try:
            raise OperationalError(CANARY)
        except OperationalError as cause:
            raise OSError(28, "x") from cause
    except OSError as error:
        logger.exception("Update %s failed", 17)
        logger.warning("It failed: %s", error)
        logger.warning(error)
    try:
        raise tickets.TicketError("Phiếu đã đóng.")
    except tickets.TicketError as error:
        logger.warning("Not done: %s", error)
    written = lines.getvalue()
    assert "Update 17 failed" in written
    assert "test_logs.py" in written  # where it was raised
    assert "OSError (No space left on device)" in written
    assert "OperationalError" in written
    assert "Not done: TicketError: Phiếu đã đóng." in written
    assert CANARY not in written


def test_the_settings_use_it() -> None:
    assert django_settings.LOGGING["formatters"]["line"]["()"] == f"{logs.__name__}.Formatter"
