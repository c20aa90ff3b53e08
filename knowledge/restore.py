"""Puts the diacritics back on Vietnamese typed without them, with the knowledge base's own words before general ones.

"chua vinh trang mo cua may gio" means nothing to the embedding model; "chùa vĩnh tràng mở cửa mấy giờ" does. The
likeliest syllables are found by Viterbi over pairs, counted in the published Vietnamese texts and, for what those do
not know, in general Vietnamese (`knowledge/syllables.py`). Marks that were typed stay, and so do English words. The
result stands beside what was typed, for the embedding model; it never takes its place.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from knowledge.syllables import general, is_syllable, syllables
from knowledge.telex import read_keys
from nlu.text import fold

# What people type for a whole word on a phone; never found in approved texts. Only what has one meaning.
SHORT = {
    "ko": "không", "k": "không", "hok": "không", "kh": "không", "khg": "không", "hk": "không", "kô": "không",
    "dc": "được", "đc": "được", "đx": "được", "dx": "được", "bn": "bao nhiêu", "nhiu": "nhiêu", "bnhiu": "bao nhiêu",
    "bnhieu": "bao nhiêu", "nhìu": "nhiều", "vs": "với", "mn": "mọi người", "ng": "người", "ntn": "như thế nào",
    "j": "gì", "z": "vậy", "zậy": "vậy", "r": "rồi", "m": "mình", "mik": "mình", "wa": "qua", "wá": "quá", "h": "giờ",
    "thik": "thích", "bik": "biết", "oto": "ô tô", "vn": "việt nam", "sdt": "số điện thoại", "sđt": "số điện thoại",
    "đt": "điện thoại", "dt": "điện thoại", "sg": "sài gòn", "hcm": "hồ chí minh", "tphcm": "thành phố hồ chí minh",
    "hn": "hà nội", "tp": "thành phố", "cty": "công ty", "dn": "doanh nghiệp", "bv": "bệnh viện", "ks": "khách sạn",
    "đk": "đăng ký", "dk": "đăng ký", "ubnd": "ủy ban nhân dân", "cccd": "căn cước công dân", "bhyt": "bảo hiểm y tế",
    "bhxh": "bảo hiểm xã hội", "gplx": "giấy phép lái xe", "hs": "hồ sơ", "ck": "chuyển khoản",
}
# English words built like Vietnamese syllables that stand in Vietnamese messages; the others show by their shape.
ENGLISH = frozenset((
    "the", "to", "can", "map", "chat", "hot", "go", "me", "my", "we", "you", "in", "on", "an", "at", "it", "is",
    "no", "not", "tip", "menu", "taxi", "do", "be", "by", "hi", "ok", "or", "so", "top", "mini", "van", "cam",
    "phone", "him", "her", "she", "he", "time", "one", "more", "many", "much", "man", "men", "pin", "pay", "may",
    "but", "put", "get", "got", "let", "pub", "bun", "tea", "ice", "home", "game", "mail", "online", "shop", "air",
    "bus", "car", "bar", "gas", "fax", "tax", "max", "box", "mix", "six", "his", "has", "was", "for", "tour",
    "hour", "us", "as", "tips", "shops", "cars", "bars", "tours",
))
# Chosen by cross-validation over the entries of knowledge/content (`manage.py measure_restore`): how many pairs seen
# after a syllable outweigh what is known of the next one alone, in the texts and in general; how many syllables of the
# texts outweigh general frequency; what general pairs count beside the frequency in the texts.
TEXT_PAIRS, GENERAL_PAIRS, TEXT_SYLLABLES, GENERAL = 80.0, 5.0, 5000.0, 0.45
# How likely a foreign word is after a foreign word and after a Vietnamese one.
FOREIGN_AGAIN, FOREIGN_FIRST = 0.05, 0.0005
# How many syllables of one spelling are tried, and how many readings of the words before are kept.
SPELLINGS, KEPT = 12, 8
# Texts whose syllables are remembered: every snapshot makes a restorer, mostly of the texts of the one before.
READ_TEXTS = 20_000
# The share of syllables with marks in Vietnamese as it is written; how often one who writes marks leaves one out.
MARKED, FORGOTTEN = 0.75, 0.02

_START = "\n"
_SENTENCE = re.compile(r"(?<=[.!?…:;])\s+|\n")
_Paths = dict[str, tuple[float, tuple[str, ...]]]


class Restorer:
    """Restores questions; made once per snapshot, never changed, shared between threads."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._general = general()
        seen: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        for text in texts:
            for words in _sentences(text):
                seen.update(words[1:])
                self._pairs.update(pairwise(words))
        self._after: Counter[str] = Counter()
        for (first, _), n in self._pairs.items():
            self._after[first] += n
        self._after_general: Counter[str] = Counter()
        for (first, _), weight in self._general.pairs.items():
            self._after_general[first] += weight
        total = sum(seen.values()) + TEXT_SYLLABLES
        shares = self._general.shares
        # What a syllable's own frequency adds in general and in the texts, whatever stands before it.
        self._alone = {
            word: (shares.get(word, 1e-9), (seen[word] + TEXT_SYLLABLES * shares.get(word, 1e-9)) / total)
            for word in {**shares, **seen}
        }
        spellings: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(self._alone, key=lambda word: (-self._alone[word][1], word)):
            if is_syllable(word) or word in seen:
                spellings[fold(word)].append(word)
        self._spellings = {plain: tuple(each[:SPELLINGS]) for plain, each in spellings.items()}

    def restore(self, question: str) -> str:
        """Return the question in lower case, without punctuation, with the likeliest diacritics.

        Marks that were typed stay; unknown and English words stay as they are; short forms are written out.
        """
        lack = max(needs_restoring(question), FORGOTTEN)
        paths: _Paths = {_START: (0.0, ())}
        for word in self._written_out(question):
            spellings = self._spellings.get(word, (word,)) if word.isascii() else (word,)
            if word in ENGLISH and word not in spellings:
                spellings = (*spellings, word)
            # Who writes marks hardly ever leaves one out: the more there are, the rather a plain word is meant so.
            paths = {each: self._extend(paths, each, 0.0 if each == word else math.log(lack)) for each in spellings}
            if len(paths) > KEPT:
                paths = dict(sorted(paths.items(), key=lambda path: -path[1][0])[:KEPT])
        return " ".join(max(paths.values(), key=lambda path: path[0])[1])

    def _written_out(self, question: str) -> list[str]:
        """Return the question's words; short forms written out, keys of an input method read."""
        words = syllables(question)
        typed = {word: read_keys(word, self._alone) for word in words if word not in ENGLISH and self._odd(word)}
        found = {word: each for word, each in typed.items() if each}
        if not any(each.certain for each in found.values()) and len(found) < 2:
            found = {}
        return [
            part for word in words
            for part in (found[word].syllable if word in found else SHORT.get(word, word)).split()
        ]

    def _odd(self, word: str) -> bool:
        """Tell whether a word means nothing as it stands, so that it may be keys of an input method."""
        return word.isascii() and word not in self._spellings and word not in SHORT and not word.isdigit()

    def _extend(self, paths: _Paths, word: str, cost: float) -> tuple[float, tuple[str, ...]]:
        general_share, text_share = self._alone.get(word, (0.0, 0.0))
        foreign = word in ENGLISH or not general_share
        pairs, general_pairs = self._pairs, self._general.pairs
        best, previous = -math.inf, _START
        for before, (score, _) in paths.items():
            general_chance = general_pairs.get((before, word), 0.0) + GENERAL_PAIRS * general_share
            general_chance /= self._after_general[before] + GENERAL_PAIRS
            chance = TEXT_PAIRS * (GENERAL * general_chance + (1 - GENERAL) * text_share) + pairs[before, word]
            chance /= self._after[before] + TEXT_PAIRS
            if foreign:
                again = before in ENGLISH or before not in self._alone
                chance = max(chance, FOREIGN_AGAIN if again and before != _START else FOREIGN_FIRST)
            if (total := score + math.log(chance)) > best:
                best, previous = total, before
        return best + cost, (*paths[previous][1], word)


@lru_cache(READ_TEXTS)
def _sentences(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the syllables of each sentence after a mark of its beginning; none of a text typed without diacritics."""
    if lacks_diacritics(text):
        return ()
    return tuple((_START, *syllables(sentence)) for sentence in _SENTENCE.split(text))


def needs_restoring(question: str) -> float:
    """Return how far Vietnamese text lacks its diacritics: 1 where it has none, 0 where as many as usual."""
    words = [word for word in syllables(question) if not word.isdigit()]
    marked = sum(not word.isascii() for word in words)
    if not marked:
        return 1.0 if words else 0.0
    plain = sum(word.isascii() and (word in SHORT or is_syllable(word)) for word in words)
    return max(0.0, 1 - marked / (marked + plain) / MARKED)


def lacks_diacritics(question: str) -> bool:
    """Tell whether a Vietnamese question was typed without most of its diacritics."""
    return needs_restoring(question) >= 0.5
