"""What the entries of a snapshot are about: their names, what is asked about them, which ones belong together.

Everything is read off the passages, so that what the staff publish needs no second list for follow-ups.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from knowledge.ellipsis import Shape, aspects
from knowledge.passages import Passage
from knowledge.tokens import tokenize
from nlu.text import fold

# A word tells subjects apart while at most this share of the entries use it in names and questions, or this many.
DISTINCTIVE, FEW = 0.08, 3
# Two words side by side in names make a bond when no third entry has them ("Hùng Vương" is half the addresses).
PAIRED = 2
# Figures in an answer that answer a question of that kind without naming it.
FIGURES = {
    "hours": re.compile(r"\b\d{1,2}(:|h)\d{2}\b"),
    "phone": re.compile(r"\b0\d{2,3}[ .]?\d{3,}"),
    "price": re.compile(r"us\$ ?\d|\d[\d.,]* ?(dong|vnd|đồng)\b", re.IGNORECASE),
    "duration": re.compile(
        r"\d ?(minute|hour|day|working day|phút|giờ|tiếng|ngày|分|小时|天|분|시간|일|時間|日間|heure|jour|мин|час|дн)",
        re.IGNORECASE,
    ),
    "size": re.compile(r"\d ?(ha|hecta|m2|m²|km2|km²|公顷|平方|헥타르|ヘクタール|га)\b"),
    "web": re.compile(r"\b\w+\.(gov\.)?(vn|com|org|net)\b"),
}
# What else may answer a question of a kind, where nothing names the kind itself.
INSTEAD = {"way": ("where",), "where": ("way",), "hours": ("when",), "when": ("hours", "duration")}
# What it is worth that an entry's questions ask of a kind (and up to 1 more, by how many of them do), that its answer
# speaks of it, that something similar is there instead.
ASKED, SAID, INSTEAD_OF = 2.0, 1.0, 0.5
_HAN, _KANA, _HANGUL, _CYRILLIC = (re.compile(f"[{each}]") for each in ("㐀-鿿", "ぁ-ヿ", "가-힣", "а-яА-Я"))
_LATIN = re.compile(r"[A-Za-zÀ-ỹ]")


class Subjects:
    """The subjects of one snapshot; `entry` below is a slug."""

    def __init__(self, passages: Sequence[Passage], city: str = "") -> None:
        self._passages: defaultdict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            self._passages[passage.entry].append(passage)
        self._names = {entry: _names(found) for entry, found in self._passages.items()}
        self._folded = {entry: {fold(name) for name in names} for entry, names in self._names.items()}
        self._words = {
            entry: {word for each in found if each.kind != "answer" for word in tokenize(each.text)}
            for entry, found in self._passages.items()
        }
        used = Counter(word for words in self._words.values() for word in words)
        most = max(FEW, DISTINCTIVE * len(self._passages))
        self._distinctive = {word for word, count in used.items() if count <= most and not word.isdigit()}
        titles = {entry: self._title(entry) for entry in self._passages}
        used = Counter(bond for title in titles.values() for bond in title)
        self._titles = {
            entry: {bond for bond in title if " " not in bond or used[bond] <= PAIRED}
            for entry, title in titles.items()
        }
        self._city = _words(fold(city))
        self._called = _pattern({name for names in self._folded.values() for name in names})
        self._aspects = lru_cache(None)(self._read_aspects)

    def __contains__(self, entry: str) -> bool:
        return entry in self._passages

    def name(self, entry: str, language: str) -> str:
        """Return what to call an entry's subject: a name in the language's script, else any name, else a question."""
        names = self._names[entry]
        own = [name for name in names if _written_in(name, language)]
        if own or names:
            return (own or list(names))[0]
        found = self._passages[entry]
        return next((each.question for each in found if each.language == language), found[0].question)

    def whole_city(self, entry: str) -> bool:
        """Tell whether an entry is about the city itself: it is called by the city's name alone."""
        return any(_words(name) == self._city for name in self._folded[entry])

    def own_words(self, entry: str, said: Shape) -> bool:
        """Tell whether a message only names what the entry is about: "the pagoda" after an answer on a pagoda.

        Behind "this" or "that" any word of the entry's will do, alone only one that few entries use.
        """
        words = set(tokenize(said.rest))
        own = self._words[entry]
        return bool(words) and words <= (own - self._city if said.it else own & self._distinctive)

    def names_other(self, text: str, rest: str, entry: str) -> bool:
        """Tell whether a text calls something else by its name; `rest` is what it names at all (`Shape.rest`)."""
        words = set(tokenize(rest))
        called = {name for name in self._called.findall(fold(text)) if words & set(tokenize(name))}
        ours = {name for other, names in self._folded.items() if self.same(entry, other) for name in names}
        return any(not any(name in our for our in ours) for name in called)

    def same(self, one: str, other: str) -> bool:
        """Tell whether two entries have the same subject: one, or called by the same name."""
        return one == other or bool(self._folded[one] & self._folded[other])

    def akin(self, one: str, other: str) -> bool:
        """Tell whether the subjects of two entries belong together: "boat" says it of the pier and the prices."""
        if self.same(one, other) or self.whole_city(one):
            return True
        return bool(self._titles[one] & self._titles[other])

    def holds(self, entry: str, asked: frozenset[str]) -> float:
        """Return how far an entry answers questions of these kinds: 0 not at all, more where its questions ask so."""
        known = self._aspects(entry)
        found = sum(known.get(each, 0.0) for each in asked)
        if not found:
            found = sum(INSTEAD_OF * known.get(other, 0.0) for each in asked for other in INSTEAD.get(each, ()))
        return found

    def mentions(self, entry: str, said: Shape) -> bool:
        """Tell whether an entry's texts hold the words that a message names by itself."""
        words = set(tokenize(f"{said.rest} {said.limits}"))
        held = {word for each in self._passages[entry] for word in tokenize(each.text)}
        return bool(words) and len(words & held) * 2 >= len(words)

    def _title(self, entry: str) -> set[str]:
        """Return what tells the entry's subject: the common noun that its slug begins with, and pairs of its names.

        A slug's last word is a kind ("park", "bridge"), as is a lone syllable of a Vietnamese name: two of a kind are
        two subjects. A proper name ("Rạch") is no noun: the English questions write it with a capital.
        """
        noun = entry.split("-")[0]
        english = (each for each in self._passages[entry] if each.language == "en" and each.kind == "question")
        asked = " ".join(each.text for each in english)
        found = {noun} if len(noun) > 2 and noun in self._distinctive and f" {noun}" in asked else set()
        for name in self._folded[entry]:
            found |= {f"{one} {two}" for one, two in pairwise(tokenize(name)) if {one, two} & self._distinctive}
        return found

    def _read_aspects(self, entry: str) -> dict[str, float]:
        """Return what an entry is asked (`ASKED`) and says (`SAID`), as more than half of its languages have it.

        One language alone proves little: "giá" is a price, and the bean sprouts in every noodle soup.
        """
        asked: defaultdict[str, set[str]] = defaultdict(set)
        told: defaultdict[str, set[str]] = defaultdict(set)
        for each in self._passages[entry]:
            if each.kind == "names":
                continue
            kinds = set(aspects(each.text, each.language))
            if each.kind == "answer":
                kinds |= {kind for kind, pattern in FIGURES.items() if pattern.search(each.text)}
            for kind in kinds:
                (asked if each.kind == "question" else told)[kind].add(each.language)
        questions = [each for each in self._passages[entry] if each.kind == "question"]
        half = len({each.language for each in self._passages[entry]}) / 2
        known = {kind: SAID for kind, found in told.items() if len(found) > half}
        for kind, found in asked.items():
            if len(found) > half:
                asking = sum(kind in aspects(each.text, each.language) for each in questions)
                known[kind] = ASKED + asking / len(questions)
        return known


def _names(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return an entry's names: its passage `names` is its question and, in brackets, the place and the aliases."""
    for each in passages:
        if each.kind == "names":
            return tuple(each.text[len(each.question) + 2 : -1].split(", "))
    return ()


def _words(folded: str) -> set[str]:
    return set(tokenize(folded))


def _pattern(names: set[str]) -> re.Pattern[str]:
    longest = sorted((name for name in names if len(name) > 2 or _HAN.search(name)), key=len, reverse=True)
    return re.compile("|".join(
        re.escape(name) if not _LATIN.search(name[0]) else rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest
    ) or r"(?!)")


def _written_in(name: str, language: str) -> bool:
    """Tell whether a name is written as people of a language write; Latin alphabets are told apart by their accents."""
    if language in ("zh", "ja"):
        return bool(_HAN.search(name) if language == "zh" else _KANA.search(name)) and not (
            language == "zh" and _KANA.search(name)
        )
    if language == "ko":
        return bool(_HANGUL.search(name))
    if language == "ru":
        return bool(_CYRILLIC.search(name))
    return bool(_LATIN.search(name)) and (name.isascii() == (language == "en"))

