"""From scores of passages to scores of entries: an entry is found through all its passages in all its languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.passages import Passage

FloatArray = npt.NDArray[np.float32]


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
        self._row_starts = np.append(self._pair_starts[self._entry_starts] if ordered else [], len(self._order))
        self._row_starts = self._row_starts.astype(np.int64)
        self._pairs = np.repeat(np.arange(len(sizes)), sizes)
        self._written: dict[str, FloatArray] = {}
        for owner, language in ordered:
            self._written.setdefault(language, np.zeros(len(numbers), np.float32))[owner] = 1

    def rows(self, entry: int) -> npt.NDArray[np.int64]:
        """Return the rows of an entry's passages."""
        return self._order[self._row_starts[entry] : self._row_starts[entry + 1]]

    def best(self, scores: FloatArray) -> FloatArray:
        """Return every entry's best passage score."""
        return np.maximum.reduceat(scores[self._order], self._row_starts[:-1])

    def written_in(self, entries: npt.NDArray[np.int64], language: str) -> FloatArray:
        """Return 1 for every entry that has a text in a language, else 0."""
        held = self._written.get(language)
        return np.zeros(len(entries), np.float32) if held is None else held[entries]

    def select(self, entries: npt.NDArray[np.int64], keep: npt.NDArray[np.bool_] | None = None) -> Selection:
        """Return the rows of some entries, grouped by entry and language.

        `keep` (by row) leaves rows out, but not all of an entry's.
        """
        first, last = self._row_starts[entries], self._row_starts[np.asarray(entries) + 1]
        counts = last - first
        ends = np.cumsum(counts)
        places = np.arange(ends[-1]) + np.repeat(first - (ends - counts), counts)
        of_entry = np.repeat(np.arange(len(entries)), counts)
        if keep is not None:
            kept = keep[self._order[places]]
            places, of_entry = places[kept], of_entry[kept]
        pairs = np.flatnonzero(np.diff(self._pairs[places], prepend=-1))
        starts = np.searchsorted(of_entry[pairs], np.arange(len(entries)))
        languages = np.diff(np.append(starts, len(pairs)))
        return Selection(self._order[places], pairs, starts, languages)


@dataclass(frozen=True)
class Selection:
    """Rows of chosen entries; `pairs` tells where each (entry, language) starts, `entries` where each entry's pairs."""

    rows: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]
    languages: npt.NDArray[np.int64]

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Return where each entry's rows start."""
        return self.pairs[self.entries]

    def highest(self, scores: FloatArray) -> npt.NDArray[np.int64]:
        """Return of every chosen entry the place of its row with the highest score."""
        starts = self.starts
        best = np.maximum.reduceat(scores, starts)
        places = np.flatnonzero(scores == np.repeat(best, np.diff(starts, append=len(self.rows))))
        return places[np.searchsorted(places, starts)]  # of equal ones the first

    def best_and_mean(self, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return of every chosen entry: its best row's score, and the mean of its languages' bests."""
        best = np.maximum.reduceat(scores, self.pairs)
        return np.maximum.reduceat(best, self.entries), np.add.reduceat(best, self.entries) / self.languages
