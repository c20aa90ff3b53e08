"""The client of the search service (docs/architecture.md §3), for `bot` and `actions`.

Imports neither torch nor FAISS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from desk.logs import describe

if TYPE_CHECKING:
    from knowledge.passages import Passage


class SearchUnavailable(Exception):
    """The search service is down, late or loading, or answered something that nobody agreed on."""


@dataclass(frozen=True)
class Found:
    """What the search decided: the outcome, the entry when there is one, and the near misses.

    `about` is the earlier entry that the question was taken to go on about, if it was; `limits` the probabilities from
    which on the service answers (`answer_from`) and asks back (`clarify_from`).
    """

    outcome: str
    entry: str | None
    entry_language: str | None
    score: float | None
    near: list[dict[str, Any]] = field(default_factory=list)
    about: str | None = None
    limits: dict[str, float] = field(default_factory=dict)

    def offers(self, count: int = 3) -> list[str]:
        """Return the slugs of the nearest entries, each once."""
        return list(dict.fromkeys(item["entry"] for item in self.near))[:count]


@dataclass(frozen=True)
class End:
    """How a question ends: its outcome, and the first entry found."""

    outcome: str
    entry: str | None


class SearchClient:
    """Asks the knowledge service which entry answers a question."""

    def __init__(self, url: str, timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, timeout=httpx.Timeout(timeout, connect=min(timeout, 1.0)), transport=transport
        )

    async def search(self, text: str, language: str, top_k: int = 5, about: str | None = None) -> Found:
        """Return what is known about `text`; `about` is the entry answered last, which it may go on about.

        Raises SearchUnavailable when the service is down, late, loading, or answers something else than agreed.
        """
        question = {"text": text, "language": language, "top_k": top_k} | ({"about": about} if about else {})
        try:
            response = await self._client.post("/search", json=question)
            response.raise_for_status()
            body = response.json()
            found = Found(
                outcome=body["outcome"],
                entry=body.get("entry"),
                entry_language=body.get("entry_language"),
                score=body.get("score"),
                near=list(body.get("near") or []),
                about=body.get("about"),
                limits=dict(body.get("limits") or {}),
            )
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            # Without the error's own text: it may quote what was asked.
            raise SearchUnavailable(describe(error)) from error
        if found.outcome not in ("answered", "clarify", "not_known"):
            raise SearchUnavailable(
                f"The search answered with the outcome {found.outcome!r}, which nobody agreed on."
            )
        return found

    async def compare(
        self, entry: str, language: str, passages: Sequence[Passage], questions: Sequence[tuple[str, str]]
    ) -> list[tuple[End, End]]:
        """Return how each (text, language) ends now and how it would with an entry's draft in one language.

        Raises SearchUnavailable.
        """
        body = {
            "entry": entry, "language": language, "passages": [each.as_json() for each in passages],
            "questions": [{"text": text, "language": asked_in} for text, asked_in in questions],
        }  # fmt: skip
        try:
            response = await self._client.post("/compare", json=body)
            response.raise_for_status()
            return [(End(**each["now"]), End(**each["then"])) for each in response.json()["ends"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SearchUnavailable(describe(error)) from error

    async def group(self, questions: Sequence[tuple[str, str]]) -> list[list[int]]:
        """Return the places of (text, language) questions that ask the same, the largest group first.

        The first of a group is the one in its middle. Raises SearchUnavailable.
        """
        body = {"questions": [{"text": text, "language": language} for text, language in questions]}
        try:
            response = await self._client.post("/group", json=body)
            response.raise_for_status()
            return [[int(place) for place in each] for each in response.json()["groups"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SearchUnavailable(describe(error)) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
