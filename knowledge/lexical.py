"""The lexical leg: which words, and which concepts, a question shares with a passage and with a whole entry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
import numpy.typing as npt

from knowledge.tokens import concepts, tokenize

FloatArray = npt.NDArray[np.float32]
# What a concept counts that stands in an entry's answer only, not in its questions.
IN_ANSWER = 0.25


@dataclass(frozen=True)
class LexicalScores:
    """What a question shares with the passages (`passages`, 0 to 1) and with the entries (the rest).

    `words` is the share of the question's words that an entry holds, weighted by rarity (0 to 1); `evidence` the
    weight of the concepts it is about (a rare one says more than two common ones), `missing` of those it is not.
    """

    passages: FloatArray
    words: FloatArray
    evidence: FloatArray
    missing: FloatArray


class LexicalIndex:
    """BM25 over the words of passages; words and concepts over entries. `owners[i]` is the entry of `texts[i]`."""

    def __init__(self, texts: Sequence[str], owners: Sequence[int], asks: Sequence[bool]) -> None:
        words = [tokenize(text) for text in texts]
        self._passages, self._entries = len(texts), max(owners, default=-1) + 1
        self._idf_passage = _rarity(Counter(term for each in words for term in set(each)), self._passages)
        self._bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.5)
        if self._idf_passage:
            self._bm25.index([each or ["\u0000"] for each in words], show_progress=False)
        holders: defaultdict[str, set[int]] = defaultdict(set)
        for owner, each in zip(owners, words, strict=True):
            for term in each:
                holders[term].add(owner)
        self._holders = {term: np.fromiter(found, np.int64, len(found)) for term, found in holders.items()}
        self._rarity = _rarity({term: len(found) for term, found in holders.items()}, self._entries)
        self._unknown = float(np.log(1 + (self._entries + 0.5) / 0.5))
        # A concept that no entry mentions (hotels, say) is the strongest sign that nothing here answers.
        self._nowhere = float(np.log(1 + self._entries)), np.zeros(self._entries, np.float32)
        self._concepts = self._weigh_concepts(texts, owners, asks)

    def _weigh_concepts(
        self, texts: Sequence[str], owners: Sequence[int], asks: Sequence[bool]
    ) -> dict[str, tuple[float, FloatArray]]:
        """Return each concept's rarity and how far each entry is about it: fully when half its questions name it."""
        questions = np.bincount(np.array(owners, np.int64), np.array(asks, float), self._entries)
        named: defaultdict[str, FloatArray] = defaultdict(lambda: np.zeros(self._entries, np.float32))
        mentioned: defaultdict[str, set[int]] = defaultdict(set)
        for owner, text, is_question in zip(owners, texts, asks, strict=True):
            for concept in concepts(text):
                mentioned[concept].add(owner)
                named[concept][owner] += is_question
        weighed = {}
        for concept, found in mentioned.items():
            about = np.minimum(1.0, 2 * named[concept] / np.maximum(questions, 1)).astype(np.float32)
            about[list(found)] = np.maximum(about[list(found)], IN_ANSWER)
            weighed[concept] = float(np.log(1 + self._entries / (1 + about.sum()))), about
        return weighed

    def scores(self, question: str) -> LexicalScores:
        """Return what a question shares with every passage and every entry."""
        words = set(tokenize(question))
        known = [term for term in words if term in self._rarity]
        total = sum(self._rarity.get(term, self._unknown) for term in words) or 1.0
        held = np.zeros(self._entries, np.float32)
        for term in known:
            held[self._holders[term]] += self._rarity[term]
        evidence, about = np.zeros(self._entries, np.float32), 0.0
        for concept in concepts(question):
            rarity, weights = self._concepts.get(concept, self._nowhere)
            evidence += rarity * weights
            about += rarity
        return LexicalScores(self._bm25_share(words, known), held / total, evidence, about - evidence)

    def _bm25_share(self, words: set[str], known: list[str]) -> FloatArray:
        """Return the BM25 scores by what a passage of exactly the question's words would get at most."""
        if not known:
            return np.zeros(self._passages, np.float32)
        unknown = float(np.log(1 + (self._passages + 0.5) / 0.5))
        most = sum(self._idf_passage.get(term, unknown) for term in words)
        return (self._bm25.get_scores(known) / most).astype(np.float32)


def _rarity(frequency: dict[str, int], count: int) -> dict[str, float]:
    return {term: float(np.log(1 + (count - n + 0.5) / (n + 0.5))) for term, n in frequency.items()}
