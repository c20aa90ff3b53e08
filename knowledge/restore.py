"""Puts the diacritics back on Vietnamese typed without them, with the knowledge base's own words.

"chua vinh trang mo cua may gio" means nothing to the embedding model; "chùa vĩnh tràng mở cửa mấy giờ" does. Most
likely syllables are found by Viterbi over counts of syllables and of pairs in the published Vietnamese texts: people
ask about what the texts are about, so these few thousand words do better than a general restorer.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from nlu.text import fold

_WORD = re.compile(r"[^\W_]+")
_START = "\n"
# What people type for a whole word on a phone; never found in approved texts.
SHORT = {
    "ko": "không", "k": "không", "hok": "không", "hong": "không", "dc": "được", "đc": "được", "bn": "bao nhiêu",
    "nhiu": "nhiêu", "vs": "với", "mn": "mọi người", "vn": "việt nam", "sdt": "số điện thoại", "đt": "điện thoại",
    "sg": "sài gòn", "hcm": "hồ chí minh", "cty": "công ty", "dn": "doanh nghiệp", "bv": "bệnh viện", "ks": "khách sạn",
}
# How much a pair that was seen counts against the syllable alone, and what an unseen one costs.
PAIR = 0.8


class Restorer:
    """Restores questions; made once per snapshot, never changed."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._syllables: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        for text in texts:
            if text.isascii():  # itself typed without diacritics
                continue
            words = [_START, *_WORD.findall(text.lower())]
            self._syllables.update(words)
            self._pairs.update(zip(words, words[1:], strict=False))
        self._total = max(sum(self._syllables.values()), 1)
        self._spellings: defaultdict[str, set[str]] = defaultdict(set)
        for word in self._syllables:
            self._spellings[fold(word)].add(word)

    def restore(self, question: str) -> str:
        """Return the question with the likeliest diacritics; words the texts do not know stay as they are."""
        words = [part for word in _WORD.findall(question.lower()) for part in SHORT.get(word, word).split()]
        paths: dict[str, tuple[float, list[str]]] = {_START: (0.0, [])}
        for word in words:
            spellings = (self._spellings.get(word) if word.isascii() else None) or {word}
            paths = {spelling: self._extend(paths, spelling) for spelling in spellings}
        return " ".join(max(paths.values(), key=lambda path: path[0])[1])

    def _extend(self, paths: dict[str, tuple[float, list[str]]], word: str) -> tuple[float, list[str]]:
        alone = (self._syllables[word] + 0.5) / self._total
        best, previous = -math.inf, _START
        for before, (score, _) in paths.items():
            together = self._pairs[before, word] / max(self._syllables[before], 1)
            if (total := score + math.log(PAIR * together + (1 - PAIR) * alone)) > best:
                best, previous = total, before
        return best, [*paths[previous][1], word]


def lacks_diacritics(question: str) -> bool:
    """Tell whether a Vietnamese question was typed without diacritics."""
    return question.isascii()
