"""Vector indexes in this process, with FAISS: exact up to a size, above it inverted lists of 8-bit codes.

Why IVF and not HNSW, with the figures: docs/scale.md. In short, at 1,000,000 passages IVF finds more of the neighbours
in the same time, is built sooner, and takes no more memory than the codes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import numpy as np

from knowledge.vectors.base import FloatArray, IntArray, best_first, check_query, check_vectors, nothing, rescored

# Codes that a search reads, whatever the size: 4 ms on one thread of an idle machine, for on a busy one it may take
# three times as long and the limit is 15. At 1,000,000 vectors that is one list in sixteen, at a recall above 0.97
# (docs/scale.md); beyond, the time stays and the recall falls.
READ = 64_000
# Vectors that the centres of the lists are learnt from, a list (FAISS wants 39 at least), and how often they are moved.
# 64 and 10 find 0.6 % more neighbours and take twice the time.
TRAINED_ON, ROUNDS = 40, 6
# Codes of 8 bits mistake a neighbour for another that is as near to 0.0005: candidates to score exactly, a hit.
CANDIDATES = 4
FEWEST_CANDIDATES = 40
_BATCH = 50_000
_SEED = 20_250_701


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let FAISS use so many threads inside.

    OpenMP keeps the number for each calling thread: set once at import, it would hold for the importing thread alone,
    and every other one would take all cores for a single question.
    """
    before = faiss.omp_get_max_threads()
    if before == number:
        yield
        return
    faiss.omp_set_num_threads(number)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class FlatIndex:
    """Compares a query with every vector: exact, nothing to build, time and memory by the number of vectors.

    Raises ValueError for vectors that are not float32 of shape (n, dimension) and unit length.
    """

    kind = "flat"

    def __init__(self, vectors: FloatArray) -> None:
        self._dimension = check_vectors(vectors).shape[1]
        self._index = faiss.IndexFlatIP(self._dimension)
        if len(vectors):
            self._index.add(np.ascontiguousarray(vectors))

    def __len__(self) -> int:
        """Return how many vectors the index holds."""
        return self._index.ntotal

    def search(self, query: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
        """Return (row numbers, cosines) of the nearest, best first; see VectorIndex."""
        query = check_query(query, count, self._dimension)
        if not len(self):
            return nothing()
        with threads(1):
            cosines, rows = self._index.search(query[None, :], min(count, len(self)))
        return best_first(rows[0], cosines[0], count)


class IvfIndex:
    """Inverted lists of 8-bit codes (IVF-SQ8); the best candidates are scored again with the full vectors.

    `vectors` may be memory-mapped: a search reads some dozen rows of it. `index` is a trained and filled
    `IndexIVFScalarQuantizer` whose ids are row numbers.
    """

    kind = "ivf-sq8"

    def __init__(self, vectors: FloatArray, index: faiss.IndexIVFScalarQuantizer) -> None:
        if (index.ntotal, index.d) != vectors.shape:
            raise ValueError(
                f"the index must be made of these vectors, of shape {vectors.shape}. "
                f"Currently, it holds {(index.ntotal, index.d)}."
            )
        self._vectors, self._index = vectors, index
        self._probes = probes_for(index.nlist, index.ntotal)

    @classmethod
    def build(cls, vectors: FloatArray, *, using: int | None = None) -> IvfIndex:
        """Return an index of unit vectors, shape (n, dimension); equal vectors give an equal index.

        `using` threads (all cores unless told) it takes about a minute for a million on two. Raises ValueError.
        """
        count, dimension = check_vectors(vectors).shape
        if count == 0:
            raise ValueError("an IVF index needs vectors to learn its lists from. Currently, there are none.")
        lists = lists_for(count)
        quantiser = faiss.IndexFlatIP(dimension)
        index = faiss.IndexIVFScalarQuantizer(
            quantiser, dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.niter, index.cp.seed = ROUNDS, _SEED
        # The sample is drawn here; below so many points a list FAISS only warns, and small indexes work all the same.
        index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 2 * TRAINED_ON
        drawn = np.random.default_rng(_SEED).choice(count, min(count, lists * TRAINED_ON), replace=False)
        with threads(using or os.cpu_count() or 1):
            index.train(np.ascontiguousarray(vectors[np.sort(drawn)]))
            for start in range(0, count, _BATCH):
                index.add(np.ascontiguousarray(vectors[start : start + _BATCH]))
        return cls(vectors, index)

    @property
    def vectors(self) -> FloatArray:
        """The full vectors that candidates are scored with, shape (n, dimension)."""
        return self._vectors

    @property
    def index(self) -> faiss.IndexIVFScalarQuantizer:
        """FAISS's own structure, to be written to a file."""
        return self._index

    def __len__(self) -> int:
        """Return how many vectors the index holds."""
        return self._index.ntotal

    def search(self, query: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
        """Return (row numbers, cosines) of the nearest, best first; see VectorIndex."""
        query = check_query(query, count, self._index.d)
        count = min(count, len(self))
        wanted = min(candidates_for(count), len(self))
        rows = self._candidates(query, wanted, self._probes)
        if len(rows) < count:
            # The lists read hold too few: read them all, as whoever asks for so many wants completeness.
            rows = self._candidates(query, wanted, self._index.nlist)
        return rescored(self._vectors, query, rows, count)

    def _candidates(self, query: FloatArray, wanted: int, probes: int) -> IntArray:
        # Parameters of this call alone: `nprobe` of the index is shared between threads.
        parameters = faiss.SearchParametersIVF(nprobe=probes)
        with threads(1):
            _, rows = self._index.search(query[None, :], wanted, params=parameters)
        return rows[0][rows[0] >= 0]


def lists_for(count: int) -> int:
    """Return how many lists so many vectors are spread over: a power of two near four times the square root."""
    return max(1, min(count, 2 ** round(math.log2(4 * math.sqrt(max(1, count))))))


def probes_for(lists: int, count: int) -> int:
    """Return how many of the lists a search reads, so that they hold about READ of so many vectors."""
    return max(1, math.ceil(lists * min(1.0, READ / max(1, count))))


def candidates_for(count: int) -> int:
    """Return how many candidates to score exactly for so many hits."""
    return max(CANDIDATES * count, FEWEST_CANDIDATES)
