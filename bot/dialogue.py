"""The client of the dialogue engine's REST channel."""

from __future__ import annotations

from typing import Any

import httpx

from bot.errors import DialogueError
from desk.logs import describe


class Dialogue:
    """Sends one message to Rasa and returns what it says."""

    def __init__(self, url: str, timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=httpx.Timeout(timeout, connect=1.0), transport=transport)

    async def send(self, sender: str, message: str, metadata: dict[str, Any]) -> list[dict[str, Any]]:
        """Return Rasa's reply items (docs/architecture.md §2).

        Raises DialogueError when Rasa is down, late, or failed inside: its REST channel catches every exception and
        answers 200 with what it had collected so far, so a reply that holds no `turn` is a failure.
        """
        try:
            response = await self._client.post(
                "/webhooks/rest/webhook", json={"sender": sender, "message": message, "metadata": metadata}
            )
            response.raise_for_status()
            items = response.json()
        except (httpx.HTTPError, ValueError) as error:
            # Without the error's own text: it may quote what was sent.
            raise DialogueError(describe(error)) from error
        if not isinstance(items, list) or not any(
            isinstance(item.get("custom"), dict) and item["custom"].get("kind") == "turn" for item in items
        ):
            raise DialogueError(f"Rasa answered without a turn ({len(items)} items)")
        return items

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
