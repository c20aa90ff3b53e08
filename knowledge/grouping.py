"""Questions that ask the same, in whatever language: groups found by sentence-transformers' community detection.

Vectors are compared in the space that is common to all languages (`Geometry.question`), where a question and its
translation lie near each other. A community holds what lies near its middle; those whose middles lie near each other
are one group, since short questions scatter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import yaml
from sentence_transformers.util import community_detection

from knowledge.tokens import ALIASES
from nlu.text import fold

Direction = Callable[[str, str], npt.NDArray[np.float32]]
# How near a question lies to the middle of its community, the middles of two to each other, and one left alone to a
# group (cosines; measured on paraphrases and strangers in three languages, tests/knowledge/test_grouping.py).
NEAR, NEAR_MIDDLES, NEAR_GROUP = 0.45, 0.6, 0.35


def grouped(questions: Sequence[tuple[str, str]], direction: Direction, city: str = "") -> list[list[int]]:
    """Return the places of (text, language) questions that ask the same, the largest group and its middle one first.

    `direction` gives a question's vector in the common space (`Searcher.direction`). The name of the city that is
    asked about, in any spelling, makes no two questions alike, and is left out.
    """
    if not questions:
        return []
    names = _spellings(city)
    rows = np.stack([direction(names.sub(" ", text).strip() or text, language) for text, language in questions])
    unit = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    groups = [list(each) for each in community_detection(unit, threshold=NEAR, min_community_size=1)]
    while (pair := _nearest(unit, groups)) is not None:
        one, other = pair
        groups[one] += groups.pop(other)
    groups = _with_the_lonely(unit, groups)
    return sorted((_from_the_middle(unit, each) for each in groups), key=lambda each: (-len(each), each[0]))


def _spellings(city: str) -> re.Pattern[str]:
    """Return what finds the city's name as the thesaurus spells it; finds nothing without a city."""
    names = [city, fold(city), *yaml.safe_load(ALIASES.read_text(encoding="utf-8")).get(city, ())] if city else []
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)", re.IGNORECASE)


def _middles(unit: npt.NDArray[np.float32], groups: list[list[int]]) -> npt.NDArray[np.float32]:
    means = np.stack([unit[each].mean(axis=0) for each in groups])
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)


def _nearest(unit: npt.NDArray[np.float32], groups: list[list[int]]) -> tuple[int, int] | None:
    """Return the two groups whose middles lie nearest, None when none lie near enough."""
    middles = _middles(unit, groups)
    cosines = np.triu(middles @ middles.T, 1)
    place = int(cosines.argmax())
    one, other = divmod(place, len(groups))
    return (one, other) if cosines[one, other] >= NEAR_MIDDLES else None


def _with_the_lonely(unit: npt.NDArray[np.float32], groups: list[list[int]]) -> list[list[int]]:
    """Let each question that stands alone join the group that it lies near, if there is one."""
    found = [each for each in groups if len(each) > 1]
    if not found:
        return groups
    middles = _middles(unit, found)
    alone = []
    for (row,) in (each for each in groups if len(each) == 1):
        cosines = middles @ unit[row]
        best = int(cosines.argmax())
        if cosines[best] >= NEAR_GROUP:
            found[best].append(row)
        else:
            alone.append([row])
    return found + alone


def _from_the_middle(unit: npt.NDArray[np.float32], group: list[int]) -> list[int]:
    middle = unit[group].mean(axis=0)
    return sorted(group, key=lambda row: (-float(unit[row] @ middle), row))
