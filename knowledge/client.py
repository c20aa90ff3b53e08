"""The client of the search service, for `bot` and `actions` (imports neither torch nor FAISS)."""

from __future__ import annotations

from typing import Any

import httpx


class SearchUnavailable(Exception):
    """The search service is down, late, or not ready."""


class SearchClient:
    """Asks the search service which entry answers a question."""

    def __init__(self, url: str, timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(timeout, connect=1.0), transport=transport)

    async def search(self, text: str, language: str, top_k: int = 5) -> dict[str, Any]:
        """Return the service's decision (docs/architecture.md §3); raises SearchUnavailable."""
        try:
            response = await self._client.post("/search", json={"text": text, "language": language, "top_k": top_k})
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SearchUnavailable(f"{type(error).__name__}: {error}"[:300]) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
