"""An embedder whose vectors can be read by eye: one dimension a keyword."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.embedder import Encoded

KEYWORDS = ("pagoda", "open", "boat", "price", "noodle", "tax")


class KeywordEmbedder:
    """Counts keywords; the last dimension keeps texts without any of them apart from nothing."""

    name = "keywords@test"
    dimension = len(KEYWORDS) + 1

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def warm_up(self) -> None:
        """Nothing to load."""

    def encode_query(self, question: str) -> Encoded:
        """Return the question's keyword vector, and one for each of its keywords."""
        words = [word for word in question.lower().split() if any(known in word for known in KEYWORDS)]
        ids = np.array([zlib.crc32(word.encode()) % 1000 for word in words], np.int32)
        tokens = np.array([self._vector(word) for word in words], np.float32).reshape(-1, self.dimension)
        return Encoded(self._vector(question), tokens, ids)

    def encode_passages(self, texts: Sequence[str], *, batch_size: int = 16) -> list[Encoded]:
        """Return the keyword vectors of some texts, and remember what was encoded."""
        self.encoded.extend(texts)
        return [self.encode_query(text) for text in texts]

    @staticmethod
    def _vector(text: str) -> np.ndarray:
        vector = np.array([text.lower().count(word) for word in KEYWORDS] + [0.1], np.float32)
        return vector / np.linalg.norm(vector)
