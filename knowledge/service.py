"""The search service: the one process that holds the model and the index (`python -m knowledge.service`)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.datastructures import State  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402

from knowledge import rehearsal  # noqa: E402
from knowledge.embedder import AT_ONCE, SentenceTransformerEmbedder  # noqa: E402
from knowledge.errors import KnowledgeError  # noqa: E402
from knowledge.followup import decide  # noqa: E402
from knowledge.grouping import grouped  # noqa: E402
from knowledge.keeper import Keeper  # noqa: E402
from knowledge.passages import Passage  # noqa: E402
from knowledge.rehearsal import with_draft  # noqa: E402
from knowledge.searcher import Decision, Searcher  # noqa: E402
from knowledge.subjects import Subjects  # noqa: E402
from nlu.languages import DEFAULT, supported  # noqa: E402
from nlu.text import MAX_LENGTH, clean  # noqa: E402

logger = logging.getLogger(__name__)
MAX_BODY = 64 * 1024
# What a draft and the questions beside it may be at most.
MAX_DRAFT, MAX_PASSAGES, MAX_QUESTIONS, MAX_GROUPED = 512 * 1024, 200, 300, 1000


def _problem(message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": "bad_request", "message": message}}, status_code=400)


async def search(request: Request) -> JSONResponse:
    """Decide on one question (docs/architecture.md §3)."""
    body = await request.body()
    try:
        asked = json.loads(body[: MAX_BODY + 1])
        text, language, top_k = asked["text"], supported(asked.get("language")) or DEFAULT, int(asked.get("top_k", 5))
        cleaned, about = clean(text), _slug(asked.get("about"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        expected = '{"text": "…", "language": "vi", "top_k": 5, "about": "slug or null"}'
        return _problem(f"expected {expected}: {type(error).__name__} {error}"[:200])
    if cleaned.empty:
        return _problem(f"text holds no letter or digit (at most {MAX_LENGTH} characters are read)")
    keeper: Keeper = request.app.state.keeper
    if keeper.searcher is None:
        return JSONResponse({"status": "loading"}, status_code=503)
    searcher = keeper.searcher
    decision, about = await asyncio.get_running_loop().run_in_executor(
        request.app.state.pool, _decide, request.app.state, searcher, cleaned.text, language, min(max(top_k, 1), 20),
        about,
    )
    best = decision.entry
    return JSONResponse(
        {
            "outcome": decision.outcome,
            "entry": best.entry if best else None,
            "entry_language": best.language if best else None,
            "score": round(decision.score, 4),
            "near": [hit.as_json() for hit in decision.hits],
            "query_language": language,
            "about": about,
            "limits": dict(decision.limits),
            "revision": searcher.snapshot.revision,
        }
    )


async def compare(request: Request) -> JSONResponse:
    """Tell how questions end now, and how they would with an entry's draft (docs/architecture.md §3)."""
    try:
        asked = json.loads((await request.body())[: MAX_DRAFT + 1])
        draft = [Passage(**each) for each in asked["passages"]][:MAX_PASSAGES]
        questions = [(str(each["text"]), str(each["language"])) for each in asked["questions"]][:MAX_QUESTIONS]
        entry, language = str(asked["entry"]), str(asked["language"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return _problem(f"expected entry, language, passages and questions: {type(error).__name__} {error}"[:200])
    searcher = request.app.state.keeper.searcher
    if searcher is None:
        return JSONResponse({"status": "loading"}, status_code=503)

    def ends() -> list[dict[str, Any]]:
        changed = with_draft(searcher, entry, language, draft)
        return rehearsal.compare(searcher, changed, questions, timezone.localdate())

    # One of the pool's threads: who asks the other meanwhile waits a little longer.
    found = await asyncio.get_running_loop().run_in_executor(request.app.state.pool, ends)
    return JSONResponse({"ends": found, "revision": searcher.snapshot.revision})


async def group(request: Request) -> JSONResponse:
    """Return which of up to MAX_GROUPED questions ask the same (docs/architecture.md §3)."""
    try:
        asked = json.loads((await request.body())[: MAX_DRAFT + 1])
        questions = [(str(each["text"]), str(each["language"])) for each in asked["questions"]][:MAX_GROUPED]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return _problem(f"expected questions with text and language: {type(error).__name__} {error}"[:200])
    searcher = request.app.state.keeper.searcher
    if searcher is None:
        return JSONResponse({"status": "loading"}, status_code=503)
    found = await asyncio.get_running_loop().run_in_executor(
        request.app.state.pool, grouped, questions, searcher.direction, settings.CITY_NAME,
    )
    return JSONResponse({"groups": found})


def _slug(about: object) -> str | None:
    """Return the slug that a request names as the last answer; raises TypeError for anything but a text or null."""
    if not isinstance(about, str | None):
        raise TypeError("about is not a slug")
    return about or None


def _decide(
    state: State, searcher: Searcher, text: str, language: str, top_k: int, about: str | None
) -> tuple[Decision, str | None]:
    """Return the decision, and the entry that the message goes on about; what a snapshot is about is read once."""
    today = timezone.localdate()
    if about is None:
        return searcher.search(text, language, today, top_k), None
    snapshot, subjects = getattr(state, "subjects", (None, None))
    if snapshot is not searcher.snapshot:
        snapshot, subjects = searcher.snapshot, Subjects(searcher.snapshot.passages, settings.CITY_NAME)
        state.subjects = snapshot, subjects
    return decide(searcher, subjects, text, language, today, top_k, about)


async def health(request: Request) -> JSONResponse:
    """Tell which revision is served."""
    searcher = request.app.state.keeper.searcher
    if searcher is None:
        return JSONResponse({"status": "loading"}, status_code=503)
    snapshot = searcher.snapshot
    return JSONResponse(
        {"status": "ok", "revision": snapshot.revision, "passages": len(snapshot.passages), "model": snapshot.model}
    )


def build_app(keeper: Keeper | None = None) -> Starlette:
    """Return the service; without a keeper it makes the one that the settings describe."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # A thread a core: who comes while all are busy waits here in turn, and the loop keeps taking requests.
        app.state.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="search")
        # What is published is encoded on one core: whoever asks meanwhile has the others.
        app.state.keeper = keeper or Keeper(
            settings.INDEX_DIR,
            SentenceTransformerEmbedder(settings.MODEL, passages_at_once=1),
            settings.INDEX_POLL_SECONDS,
        )
        # Loading takes seconds; the port answers "loading" meanwhile.
        starting = threading.Thread(target=_start, args=(app.state.keeper,), daemon=True)
        starting.start()
        yield
        app.state.keeper.stop()
        app.state.pool.shutdown(wait=False, cancel_futures=True)

    return Starlette(routes=[
            Route("/search", search, methods=["POST"]), Route("/compare", compare, methods=["POST"]),
            Route("/group", group, methods=["POST"]),
            Route("/health", health),
        ], lifespan=lifespan)


def _start(keeper: Keeper) -> None:
    try:
        keeper.embedder.warm_up()
        keeper.start()
        # Half a million objects that stay: a full collection would stop every question for a third of a second.
        gc.collect()
        gc.freeze()
    except KnowledgeError as error:
        # A service that cannot search must not pretend to run: the process manager shows the line and stops.
        logger.error("%s", error)
        os._exit(1)
    except Exception:
        logger.exception("The search service cannot start")
        os._exit(1)


def main() -> None:
    """Serve on loopback until told to stop."""
    import uvicorn

    if len(sys.argv) > 1:
        sys.exit(
            "python -m knowledge.service takes no arguments; settings come from the environment (docs/settings.md)."
        )
    uvicorn.run(
        build_app(), host="127.0.0.1", port=settings.KNOWLEDGE_PORT, access_log=False, log_level="warning",
        log_config=None,  # its own would write exceptions with all they say (desk/logs.py)
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
