"""The one client of the search service in this process."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from knowledge.client import SearchClient


@lru_cache(maxsize=1)
def search_client() -> SearchClient:
    """Return the client; its connections are opened at the first question."""
    return SearchClient(settings.KNOWLEDGE_URL, settings.KNOWLEDGE_TIMEOUT)
