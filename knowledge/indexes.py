"""The two legs of the search over one snapshot: vectors in FAISS, words in BM25."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import faiss
import numpy as np
import numpy.typing as npt

from knowledge.tokens import tokenize

# FAISS threads fight with the callers' own (lessons S15); one query over some thousand vectors needs one.
faiss.omp_set_num_threads(1)
FloatArray = npt.NDArray[np.float32]


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


class LexicalIndex:
    """BM25 (Lucene's variant) over our own terms."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._terms = [tokenize(text) for text in texts]
        self._vocabulary = {term for terms in self._terms for term in terms}
        self._bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.5)
        if self._vocabulary:
            self._bm25.index([terms or ["\u0000"] for terms in self._terms], show_progress=False)
        # How rare a term is: rare terms that a passage lacks count more against it.
        frequency: dict[str, int] = {}
        for terms in self._terms:
            for term in set(terms):
                frequency[term] = frequency.get(term, 0) + 1
        count = max(len(self._terms), 1)
        self._idf = {term: float(np.log(1 + (count - n + 0.5) / (n + 0.5))) for term, n in frequency.items()}
        self._idf_unknown = float(np.log(1 + (count + 0.5) / 0.5))
        self._sets = [frozenset(terms) for terms in self._terms]

    def scores(self, question: str) -> FloatArray:
        """Return the BM25 score of every passage: shape (n,), zero where no term is shared."""
        terms = [term for term in tokenize(question) if term in self._vocabulary]
        if not terms:
            return np.zeros(len(self._terms), np.float32)
        return self._bm25.get_scores(terms).astype(np.float32)

    def coverage(self, question: str, row: int) -> float:
        """Return the share of the question's terms, weighted by rarity, that a passage holds (0 to 1)."""
        terms = set(tokenize(question))
        total = sum(self._idf.get(term, self._idf_unknown) for term in terms)
        held = sum(self._idf.get(term, self._idf_unknown) for term in terms if term in self._sets[row])
        return held / total if total else 0.0
