"""The dense leg: cosines of all passages with a question, from FAISS."""

from __future__ import annotations

import faiss
import numpy as np
import numpy.typing as npt

# FAISS threads fight with the callers' own (lessons S15); one query over some thousand vectors needs one.
faiss.omp_set_num_threads(1)
FloatArray = npt.NDArray[np.float32]
FEW = 3


class DenseIndex:
    """Exact inner-product search over unit vectors (their cosine); never changed once built."""

    def __init__(self, vectors: FloatArray) -> None:
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        if len(vectors):
            self._index.add(np.ascontiguousarray(vectors))

    def scores(self, query: FloatArray) -> FloatArray:
        """Return the cosine of every vector with a query vector of shape (dimension,): shape (n,)."""
        count = self._index.ntotal
        if count == 0:
            return np.zeros(0, np.float32)
        found, rows = self._index.search(query[None, :], count)
        scores = np.empty(count, np.float32)
        scores[rows[0]] = found[0]
        return scores


class ByLanguage:
    """Makes cosines comparable across languages.

    e5 finds any text in the asker's own language nearer than the right one in another: an entry without a
    translation would hardly ever be found. So a cosine counts by how far it lies above the mean of its language's
    passages, in standard deviations (first hit right on our questions, dense alone: 0.65 → 0.74).
    """

    def __init__(self, languages: list[str]) -> None:
        names = {name: number for number, name in enumerate(dict.fromkeys(languages))}
        self._of = np.array([names[name] for name in languages], np.int64)
        self._count = np.bincount(self._of, minlength=len(names))

    def standardise(self, cosine: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return for every passage (standard deviations above its language's mean, plain distance above it)."""
        # A language with a passage or two has no mean and spread of its own to speak of: the whole index's is mixed in.
        count = self._count + FEW
        mean = (np.bincount(self._of, cosine, len(self._count)) + FEW * float(cosine.mean())) / count
        above = cosine - mean[self._of]
        spread = (np.bincount(self._of, above**2, len(self._count)) + FEW * float((above**2).mean())) / count
        return (above / np.sqrt(spread + 1e-8)[self._of]).astype(np.float32), above.astype(np.float32)
