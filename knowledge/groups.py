"""From scores of passages to scores of entries: an entry is found through all its passages in all its languages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.passages import Passage

FloatArray = npt.NDArray[np.float32]
NOWHERE = -1e9


class Groups:
    """Which passages belong to which entry, and to which of its languages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        numbers: dict[str, int] = {}
        self.owners = [numbers.setdefault(passage.entry, len(numbers)) for passage in passages]
        self.entries = list(numbers)
        self.languages = {(passage.entry, passage.language) for passage in passages}
        pairs: dict[tuple[int, str], list[int]] = {}
        for row, (owner, passage) in enumerate(zip(self.owners, passages, strict=True)):
            pairs.setdefault((owner, passage.language), []).append(row)
        ordered = sorted(pairs)
        # Rows sorted by entry and language, so that one `reduceat` gives every group's best.
        self._order = np.array([row for pair in ordered for row in pairs[pair]], np.int64)
        sizes = [len(pairs[pair]) for pair in ordered]
        self._pair_starts = np.cumsum([0, *sizes[:-1]])
        owners = np.array([owner for owner, _ in ordered], np.int64)
        self._entry_starts = np.searchsorted(owners, np.arange(len(numbers)))
        self._languages = np.bincount(owners, minlength=len(numbers))
        self._row_starts = np.append(self._pair_starts[self._entry_starts] if ordered else [], len(self._order))
        self._row_starts = self._row_starts.astype(np.int64)
        self._not_answer = np.array([passages[row].kind != "answer" for row in self._order], bool)

    def rows(self, entry: int) -> npt.NDArray[np.int64]:
        """Return the rows of an entry's passages."""
        return self._order[self._row_starts[entry] : self._row_starts[entry + 1]]

    def best(self, scores: FloatArray) -> FloatArray:
        """Return every entry's best passage score."""
        return np.maximum.reduceat(scores[self._order], self._row_starts[:-1])

    def over_languages(self, scores: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return of every entry: its best score, the mean of its languages' bests, the mean of its answers' scores."""
        ordered = scores[self._order]
        pairs = np.maximum.reduceat(ordered, self._pair_starts)
        answers = np.maximum.reduceat(np.where(self._not_answer, NOWHERE, ordered), self._pair_starts)
        answers = np.where(answers > NOWHERE, answers, pairs)  # a language without an answer passage: its best
        return np.maximum.reduceat(pairs, self._entry_starts), self._mean(pairs), self._mean(answers)

    def _mean(self, pairs: FloatArray) -> FloatArray:
        return np.add.reduceat(pairs, self._entry_starts) / self._languages
