"""What every vector index is to its callers, and the checks that all of them share."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
# Exact search of so many vectors of 384 dimensions takes 4 ms on one thread of an idle machine (p95), as the other
# index does at any size. Measured by `python -m tests.bench.scale`.
EXACT_UP_TO = 50_000
KINDS = ("auto", "flat", "ivf")
# How far from 1 the length of a unit vector may lie: float32 over some hundred dimensions, and models that run in
# half precision.
TOLERANCE = 0.01
_CHUNK = 50_000


class VectorIndex(Protocol):
    """Unit vectors by row number; found by inner product (their cosine). Never changed while it serves."""

    def __len__(self) -> int:
        """Return how many vectors the index holds."""
        ...

    def search(self, query: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
        """Return (row numbers, cosines) of the `count` nearest of a query (dimension,), best first.

        Fewer when the index holds fewer; equal cosines in the order of their rows. The cosines are exact: candidates
        of a quantised index are scored again with the full vectors. May be called from several threads.

        Raises:
            ValueError: the query has another dimension or is not finite, or `count` is below 1.
        """
        ...


def chosen(kind: str, count: int) -> str:
    """Return `flat` or `ivf` for so many vectors; `auto` is decided by EXACT_UP_TO. Raises ValueError."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}. Currently, kind is {kind!r}.")
    if kind == "auto":
        return "flat" if count <= EXACT_UP_TO else "ivf"
    return kind


def check_vectors(vectors: FloatArray) -> FloatArray:
    """Return the vectors, shape (n, dimension), if they are finite float32 of unit length; raises ValueError."""
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ValueError(f"vectors must have the shape (n, dimension). Currently, the shape is {vectors.shape}.")
    if vectors.dtype != np.float32:
        raise ValueError(f"vectors must be float32. Currently, they are {vectors.dtype}.")
    for start in range(0, len(vectors), _CHUNK):  # a memory-mapped file of gigabytes passes through in pieces
        chunk = vectors[start : start + _CHUNK]
        length = np.sqrt(np.einsum("ij,ij->i", chunk, chunk))
        # Written so that NaN fails too.
        wrong = np.flatnonzero(~(np.abs(length - 1) <= TOLERANCE))
        if len(wrong):
            row = int(wrong[0])
            raise ValueError(f"vectors must have length 1. Currently, row {start + row} has length {length[row]:.4g}.")
    return vectors


def check_query(query: FloatArray, count: int, dimension: int) -> FloatArray:
    """Return the query as contiguous float32 of shape (dimension,); raises ValueError."""
    if count < 1:
        raise ValueError(f"count must be at least 1. Currently, count is {count}.")
    if query.shape != (dimension,):
        raise ValueError(
            f"the query must have the shape ({dimension},), like the vectors of the index. "
            f"Currently, the shape is {query.shape}."
        )
    query = np.ascontiguousarray(query, np.float32)
    if not np.isfinite(query).all():
        raise ValueError("the query must be finite. Currently, it holds NaN or infinity.")
    return query


def best_first(rows: IntArray, cosines: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
    """Return the `count` best of some rows, best first; equal cosines in the order of their rows."""
    order = np.lexsort((rows, -cosines))[:count]
    return rows[order].astype(np.int64), cosines[order].astype(np.float32)


def rescored(vectors: FloatArray, query: FloatArray, rows: IntArray, count: int) -> tuple[IntArray, FloatArray]:
    """Return the `count` best of some candidate rows by their exact cosines, best first."""
    # In the order of the file: where the vectors are memory-mapped, neighbours share a page.
    rows = np.sort(rows)
    return best_first(rows, vectors[rows] @ query, count)


def nothing() -> tuple[IntArray, FloatArray]:
    """Return what a search of an empty index finds."""
    return np.zeros(0, np.int64), np.zeros(0, np.float32)
