"""The lexical leg: which words, and which concepts, a question shares with a passage and with a whole entry.

An index is made for every snapshot, so that it has to be quick: what a text consists of is worked out once, and the
rest is counting whole arrays. 20,000 passages take a tenth of a second.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.spelling import Speller
from knowledge.tokens import NAME, concepts, tokenize

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
# BM25's usual numbers: how soon a repeated word counts no more, and how far a long passage is held against it.
REPEATED, LONG = 1.2, 0.5
# What a concept counts that stands in an entry's answer only, not in its questions.
IN_ANSWER = 0.25


@dataclass(frozen=True)
class LexicalScores:
    """What a question shares with the passages (`passages`, 0 to 1) and with the entries (the rest).

    `words` is the share of the question's words that an entry holds, weighted by rarity (0 to 1); `evidence` the
    weight of the concepts it is about (a rare one says more than two common ones), `missing` of those it is not;
    `foreign` counts the proper names (names.yml) in the question that an entry does not hold.
    """

    passages: FloatArray
    words: FloatArray
    evidence: FloatArray
    missing: FloatArray
    foreign: FloatArray


class LexicalIndex:
    """BM25 over the words of passages; words and concepts over entries. `owners[i]` is the entry of `texts[i]`.

    Shared between threads, never changed.
    """

    def __init__(self, texts: Sequence[str], owners: Sequence[int], asks: Sequence[bool]) -> None:
        self._passages, self._entries = len(texts), max(owners, default=-1) + 1
        found = _contents(texts)
        owner = np.array(owners, np.int64)
        self._index_words(found, owner)
        # A concept that no entry mentions (hotels, say) is the strongest sign that nothing here answers.
        self._nowhere = float(np.log(1 + self._entries)), np.zeros(self._entries, np.float32)
        self._concepts = self._weigh_concepts(found, owner, np.array(asks, bool))

    def _index_words(self, found: list[_Content], owner: IntArray) -> None:
        terms, counts, passage = _joined([(each.terms, each.counts) for each in found])
        width = int(terms.max(initial=-1)) + 1
        lengths = np.array([max(each.length, 1) for each in found], np.float64)
        in_passages = np.bincount(terms, minlength=width)
        rarity = _rarity(in_passages, self._passages)
        held = counts + REPEATED * (1 - LONG + LONG * lengths[passage] / lengths.mean()) if len(found) else counts
        self._idf_passage = rarity
        self._speller = Speller({
            term: int(in_passages[word]) for term, word in _numbers.items() if word < width and in_passages[word]
        })
        order = np.argsort(terms, kind="stable")
        self._held_by, self._weights = passage[order], (rarity[terms] * counts / held).astype(np.float32)[order]
        self._held_from = np.concatenate([[0], np.cumsum(in_passages)])
        # Each (term, entry) once: as one number, for numbers sort ten times faster than pairs.
        pairs = np.sort(terms * max(self._entries, 1) + owner[passage])
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        self._holders = pairs % max(self._entries, 1)
        in_entries = np.bincount(pairs // max(self._entries, 1), minlength=width)
        self._holders_from = np.concatenate([[0], np.cumsum(in_entries)])
        self._rarity = _rarity(in_entries, self._entries)
        self._unknown = float(np.log(1 + (self._entries + 0.5) / 0.5))
        self._unknown_passage = float(np.log(1 + (self._passages + 0.5) / 0.5))

    def _weigh_concepts(
        self, found: list[_Content], owner: IntArray, asks: npt.NDArray[np.bool_]
    ) -> dict[str, tuple[float, FloatArray]]:
        """Return each concept's rarity and how far each entry is about it: fully when half its questions name it."""
        names = list(dict.fromkeys(name for each in found for name in each.concepts))
        number = {name: place for place, name in enumerate(names)}
        pieces = [(np.array([number[name] for name in each.concepts], np.int64),) * 2 for each in found]
        concept, _, passage = _joined(pieces)
        cell = concept * self._entries + owner[passage]
        shape = (len(names), self._entries)
        mentioned = np.bincount(cell, minlength=len(names) * self._entries).reshape(shape) > 0
        named = np.bincount(cell, asks[passage].astype(float), len(names) * self._entries).reshape(shape)
        questions = np.bincount(owner, asks.astype(float), self._entries)
        about = np.minimum(1.0, 2 * named / np.maximum(questions, 1)).astype(np.float32)
        about = np.where(mentioned, np.maximum(about, IN_ANSWER), about).astype(np.float32)
        rarity = np.log(1 + self._entries / (1 + about.sum(axis=1)))
        return {name: (float(rarity[place]), about[place]) for name, place in number.items()}

    def scores(self, question: str) -> LexicalScores:
        """Return what a question shares with every passage and every entry."""
        words = [self._meant(term) for term in dict.fromkeys(tokenize(question))]
        held, total = np.zeros(self._entries, np.float32), 0.0
        for meant in words:
            total += self._rarity[meant[0][0]] if _certain(meant) else self._unknown
            gained = np.zeros(self._entries, np.float32)
            for word, weight in meant:
                holders = self._holders_of(word)
                gained[holders] = np.maximum(gained[holders], weight * self._rarity[word])
            held += gained
        evidence, about = np.zeros(self._entries, np.float32), 0.0
        foreign = np.zeros(self._entries, np.float32)
        for concept in sorted(concepts(question)):
            rarity, weights = self._concepts.get(concept, self._nowhere)
            evidence += rarity * weights
            about += rarity
            if concept.startswith(NAME):
                foreign += weights == 0
        return LexicalScores(self._bm25_share(words), held / (total or 1.0), evidence, about - evidence, foreign)

    def _meant(self, term: str) -> list[tuple[int, float]]:
        """Return the index's own words that a term stands for, with weights: itself, else what it may be a slip of."""
        word = _numbers.get(term, -1)
        if 0 <= word < len(self._rarity) and self._holders_of(word).size:
            return [(word, 1.0)]
        return [(_numbers[near], weight) for near, weight in self._speller.near(term)]

    def _holders_of(self, word: int) -> IntArray:
        return self._holders[self._holders_from[word] : self._holders_from[word + 1]]

    def _bm25_share(self, words: list[list[tuple[int, float]]]) -> FloatArray:
        """Return the BM25 scores by what a passage of exactly the question's words would get at most."""
        scores, most = np.zeros(self._passages, np.float32), 0.0
        for meant in words:
            most += self._idf_passage[meant[0][0]] if _certain(meant) else self._unknown_passage
            if not _certain(meant):
                gained = np.zeros(self._passages, np.float32)
                for word, weight in meant:
                    rows, weights = self._held(word)
                    gained[rows] = np.maximum(gained[rows], weight * weights)
                scores += gained
            else:
                rows, weights = self._held(meant[0][0])
                scores[rows] += weights
        return (scores / (most or 1.0)).astype(np.float32)

    def _held(self, word: int) -> tuple[IntArray, FloatArray]:
        piece = slice(self._held_from[word], self._held_from[word + 1])
        return self._held_by[piece], self._weights[piece]


@dataclass(frozen=True)
class _Content:
    """What a text consists of: the numbers of its terms and how often each stands there, its length, its concepts."""

    terms: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    length: int
    concepts: tuple[str, ...]


# Every term ever seen has a number; a few bytes each, and texts do not change much.
_numbers: dict[str, int] = {}
# The contents of the texts of the index made last: the next one has most of them again.
_known: dict[str, _Content] = {}
_counting = threading.Lock()


def _contents(texts: Sequence[str]) -> list[_Content]:
    """Return what every text consists of; only texts that the index before did not have cost anything."""
    global _known
    with _counting:
        _known = {text: _known.get(text) or _content(text) for text in texts}
        return [_known[text] for text in texts]


def _content(text: str) -> _Content:
    terms = tokenize(text)
    counted = Counter(terms)
    numbers = [_numbers.setdefault(term, len(_numbers)) for term in counted]
    counts = np.array(list(counted.values()), np.int32)
    return _Content(np.array(numbers, np.int32), counts, len(terms), tuple(sorted(concepts(text))))


def _certain(meant: list[tuple[int, float]]) -> bool:
    return len(meant) == 1 and meant[0][1] == 1.0


def _joined(pieces: Sequence[tuple[npt.NDArray[np.integer], ...]]) -> tuple[IntArray, IntArray, IntArray]:
    """Return two arrays a text one after another, and the text that each element comes from."""
    if not pieces:
        return (np.zeros(0, np.int64),) * 3
    text = np.repeat(np.arange(len(pieces)), [len(first) for first, _ in pieces])
    return (
        np.concatenate([first for first, _ in pieces]).astype(np.int64),
        np.concatenate([second for _, second in pieces]).astype(np.int64), text,
    )


def _rarity(frequency: IntArray, count: int) -> npt.NDArray[np.float64]:
    return np.log(1 + (count - frequency + 0.5) / (frequency + 0.5))
