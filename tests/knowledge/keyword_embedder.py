"""An embedder whose vectors can be read by eye: one dimension a keyword."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KEYWORDS = ("pagoda", "open", "boat", "price", "noodle", "tax")


class KeywordEmbedder:
    """Counts keywords; the last dimension keeps texts without any of them apart from nothing."""

    name = "keywords@test"
    dimension = len(KEYWORDS) + 1

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def warm_up(self) -> None:
        """Nothing to load."""

    def embed_query(self, question: str) -> np.ndarray:
        """Return the question's keyword vector."""
        vector = np.array([question.lower().count(word) for word in KEYWORDS] + [0.1], np.float32)
        return vector / np.linalg.norm(vector)

    def embed_passages(self, texts: Sequence[str], *, batch_size: int = 16) -> np.ndarray:
        """Return one keyword vector a text, and remember what was encoded."""
        self.encoded.extend(texts)
        return np.stack([self.embed_query(text) for text in texts])
