"""Late interaction: a question is compared with a passage token by token, not only as a whole.

Each token of the question takes its most similar token of the passage; the mean of these, weighted by how rare the
token is, is the passage's score (MaxSim; Khattab and Zaharia, ColBERT, SIGIR 2020). One vector a text forgets the
detail that tells two neighbours apart; this keeps it. The tokens come out of the same run of the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
FULL = 127.0
# Tokens that are looked at together when a snapshot is loaded.
CHUNK = 512


@dataclass(frozen=True)
class Tokens:
    """The tokens of n texts one after another: `vectors` int8 (sum of counts, numbers kept), `ids`, `counts` (n,)."""

    vectors: npt.NDArray[np.int8]
    ids: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]

    @property
    def starts(self) -> IntArray:
        """Return where each text's tokens begin, and where the last one's end: shape (n + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])

    @classmethod
    def of(cls, texts: Sequence[tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]], dimension: int) -> Tokens:
        """Return the tokens of some texts, given as (quantised vectors, ids) each."""
        if not texts:
            return cls(np.zeros((0, dimension), np.int8), np.zeros(0, np.int32), np.zeros(0, np.int32))
        return cls(
            np.concatenate([vectors for vectors, _ in texts]), np.concatenate([ids for _, ids in texts]),
            np.array([len(ids) for _, ids in texts], np.int32),
        )

    def text(self, number: int, starts: IntArray) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32]]:
        """Return one text's (quantised vectors, ids); `starts` is what the property gives, taken once."""
        piece = slice(starts[number], starts[number + 1])
        return self.vectors[piece], self.ids[piece]


def quantise(rows: FloatArray) -> npt.NDArray[np.int8]:
    """Return unit vectors as bytes: each row by its own largest number, which a cosine does not feel."""
    most = np.maximum(np.abs(rows).max(axis=1, keepdims=True, initial=0), 1e-6)
    return np.rint(rows / most * FULL).astype(np.int8)


class LateInteraction:
    """Scores chosen passages of a snapshot; shared between threads, never changed."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._starts = tokens.starts
        self._lengths = _lengths(tokens.vectors)
        texts = np.repeat(np.arange(len(tokens.counts)), tokens.counts)
        width = int(tokens.ids.max(initial=0)) + 1
        # A token counts once a text: (text, token) as one number, for numbers sort ten times faster than pairs.
        seen = np.sort(texts * width + tokens.ids)
        seen = seen[np.diff(seen, prepend=-1) > 0] % width
        held = np.bincount(seen) if len(seen) else np.zeros(1)
        self._rarity = np.log1p(len(tokens.counts) / (1 + held)).astype(np.float32)
        self._unknown = float(np.log1p(len(tokens.counts)))

    def weights(self, ids: npt.NDArray[np.int32]) -> FloatArray:
        """Return how much each token of a question counts, together 1: a rare one more."""
        known = ids < len(self._rarity)
        weights = np.where(known, self._rarity[np.where(known, ids, 0)], self._unknown).astype(np.float32)
        return weights / max(float(weights.sum()), 1e-6)

    def compare(self, question: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Compare a question's tokens (t, numbers kept) with those of some passages.

        Returns how similar each token of the question is to its counterpart in each passage, shape (t, len(rows)),
        and how similar the tokens of each passage are to theirs in the question on average, shape (len(rows),).
        """
        forth, back = np.zeros((len(question), len(rows)), np.float32), np.zeros(len(rows), np.float32)
        counts = self._tokens.counts[rows].astype(np.int64)
        filled = np.flatnonzero(counts)
        if not len(filled) or not len(question):
            return forth, back
        rows, counts = rows[filled], counts[filled]
        ends = np.cumsum(counts)
        starts = ends - counts
        similar = np.empty((ends[-1], len(question)), np.float32)
        lengths = np.empty(ends[-1], np.float32)
        columns = np.ascontiguousarray(question.T)
        # Passages that lie side by side in one go: they are read where they are, in pieces that the CPU's cache holds.
        firsts = np.flatnonzero(np.diff(rows, prepend=-2) != 1).tolist()
        for first, after in zip(firsts, [*firsts[1:], len(rows)], strict=True):
            piece = slice(self._starts[rows[first]], self._starts[rows[after - 1] + 1])
            place = slice(starts[first], ends[after - 1])
            np.matmul(self._tokens.vectors[piece].astype(np.float32), columns, out=similar[place])
            lengths[place] = self._lengths[piece]
        similar = np.ascontiguousarray(similar.T)
        similar /= lengths
        forth[:, filled] = np.maximum.reduceat(similar, starts, axis=1)
        back[filled] = np.add.reduceat(similar.max(axis=0), starts) / counts
        return forth, back


def _lengths(vectors: npt.NDArray[np.int8]) -> FloatArray:
    """Return the rows' lengths (at least a speck), shape (n,); exact, for bytes squared stay whole numbers."""
    lengths = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), CHUNK):
        rows = vectors[start : start + CHUNK].astype(np.float32)
        lengths[start : start + CHUNK] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.maximum(lengths, 1e-6)
