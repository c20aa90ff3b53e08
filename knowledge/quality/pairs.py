"""What two entries must not be: the same, or of two minds about one place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from knowledge.numbers import stated
from knowledge.quality.findings import Finding
from knowledge.quality.rules import Data
from nlu.languages import SOURCE
from nlu.text import fold

FloatArray = npt.NDArray[np.float32]
# Two entries are near-duplicates when their questions AND their answers are at least so alike (cosine of vectors made
# comparable, knowledge.geometry). Measured on the starter content: the nearest honest neighbours (buying a house and
# having land, as an overseas Vietnamese) have 0.79, the next 0.64; a reworded copy of an entry has 0.85 and more.
ALIKE = 0.82
ROWS_AT_ONCE = 1024
_MONEY = re.compile(r"\b(\d[\d.,]*)(?: ?[-–] ?(\d[\d.,]*))? ?(?:đồng|đ|VND|nghìn|triệu)\b")
_TIME = re.compile(r"\b(\d{1,2})(?:[:h](\d\d)|h| giờ(?: (\d\d))?)")
# What one text says of several places or days is no contradiction: only the plain statements are compared.
_WITH_MONEY, _WITH_TIME = ("giá", "vé", "phí"), ("mở cửa", "giờ")


def near_duplicates(slugs: Sequence[str], language: str, questions: FloatArray, answers: FloatArray) -> list[Finding]:
    """Return the pairs of entries that say the same on the same question in one language.

    `questions` and `answers` are unit vectors made comparable, shape (n, dimension), a row for each of `slugs`.
    """
    found = []
    for start in range(0, len(slugs), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        alike = np.minimum(questions[rows] @ questions.T, answers[rows] @ answers.T)
        for row, column in np.argwhere(alike >= ALIKE):
            if start + row < column:
                score = alike[row, column]
                found.append(Finding("duplicate", slugs[start + row], language, f"{slugs[column]} ({score:.2f})"))
    return found


def contradictions(entries: Iterable[Data]) -> list[Finding]:
    """Return the entries about one place that name different hours or prices in their Vietnamese texts."""
    places: dict[str, list[Data]] = defaultdict(list)
    for entry in entries:
        if entry["place"] and entry["place"]["name"] and SOURCE in entry["translations"]:
            places[fold(entry["place"]["name"])].append(entry)
    found = []
    for there in places.values():
        for number, one in enumerate(there):
            for other in there[number + 1 :]:
                for what, here, elsewhere in _of_two_minds(one, other):
                    listed = f"{what} {', '.join(map(str, sorted(here)))} ≠ {', '.join(map(str, sorted(elsewhere)))}"
                    found.append(Finding("contradiction", one["slug"], SOURCE, f"{other['slug']}: {listed}"))
    return found


def _of_two_minds(one: Data, other: Data) -> Iterable[tuple[str, set[Decimal], set[Decimal]]]:
    texts = [each["translations"][SOURCE]["answer"] for each in (one, other)]
    for what, read in (("giá / price", _prices), ("giờ / hours", _hours)):
        here, elsewhere = map(read, texts)
        # Whoever says more than the other does not contradict it.
        if here and elsewhere and not (here <= elsewhere or elsewhere <= here):
            yield what, here, elsewhere


def _prices(text: str) -> set[Decimal]:
    if not any(word in text.lower() for word in _WITH_MONEY):
        return set()
    return {value for match in _MONEY.finditer(text) for value in stated(match[0], SOURCE) if value >= 1000}


def _hours(text: str) -> set[Decimal]:
    if not any(word in text.lower() for word in _WITH_TIME):
        return set()
    return {Decimal(match[1]) * 100 + Decimal(match[2] or match[3] or 0) for match in _TIME.finditer(text)}
