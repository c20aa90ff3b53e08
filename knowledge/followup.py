"""Follow-ups: "and how much is it?" right after an answer is a question about what was answered.

A message that leans on what was said before (`knowledge.ellipsis`) and names nothing of its own is searched with the
name of the last answer's subject before it. What answers is chosen among the entries that belong to that subject and
hold what was asked about; where none does, the answer given before is not given again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from knowledge.ellipsis import Shape, shape
from knowledge.subjects import Subjects

if TYPE_CHECKING:
    from knowledge.searcher import Decision, Hit

# How many entries the search with the subject's name looks at.
WIDE = 20
# Belonging together by a shared word counts only this far down the list.
NEAR = 8


class Searches(Protocol):
    """What this module needs of a `knowledge.searcher.Searcher`."""

    def search(self, question: str, language: str, today: dt.date, top_k: int = 5) -> Decision:
        """Return the decision on a question."""


def decide(
    searcher: Searches, subjects: Subjects, text: str, language: str, today: dt.date, top_k: int = 5,
    about: str | None = None,
) -> tuple[Decision, str | None]:
    """Return the decision on a message, and the entry that it was taken to go on about (None: a new topic).

    `about` is the slug of the entry answered last; one that is published no more counts as none.
    """
    said = shape(text, language)
    if about is None or about not in subjects or not said.said or not said.leans:
        return searcher.search(text, language, today, top_k), None
    firm = not said.rest or subjects.own_words(about, said)
    if subjects.names_other(text, said.rest, about):
        # "How far is it from Saigon?" names the other end of the way, not another topic.
        firm, may = False, (said.there or said.it) and "way" in said.aspects
    else:
        may = said.there or said.it or said.opener
    if not (firm or may):
        return searcher.search(text, language, today, top_k), None
    composed = searcher.search(compose(subjects.name(about, language), said), language, today, WIDE)
    if said.rest:
        # It names something too: what that finds by itself counts, unless it leads to another subject.
        plain = searcher.search(text, language, today, top_k)
        if plain.outcome == "answered" and subjects.same(about, plain.hits[0].entry):
            return plain, about
        chosen = _by_aspect(composed, subjects, about, said) if firm else _by_content(composed, subjects, about, said)
        if chosen is None or (not firm and plain.outcome == "answered" and plain.score > chosen.score):
            if plain.outcome == "answered" or not (firm or said.there):
                return plain, None
            chosen = None
    else:
        chosen = (_by_aspect if said.aspects else _by_content)(composed, subjects, about, said)
    if chosen is not None:
        return _first(composed, chosen, top_k), about
    return _unknown(composed, subjects, about, said, top_k), about


def compose(name: str, said: Shape) -> str:
    """Return the question in full: the subject's name before what the message says."""
    return f"{name} {said.said}".strip()


def _by_aspect(composed: Decision, subjects: Subjects, about: str, said: Shape) -> Hit | None:
    """Return the entry of this subject that holds what is asked about, the one most about it first."""
    best: tuple[float, Hit] | None = None
    for rank, hit in enumerate(composed.hits):
        near = subjects.same(about, hit.entry)
        if not near and (rank >= NEAR or not subjects.akin(about, hit.entry)):
            continue
        held = subjects.holds(hit.entry, said.aspects)
        if not near and held < 2:
            continue  # one that merely belongs to it must be asked in these words
        if held and (best is None or held > best[0]):
            best = held, hit
    return best[1] if best else None


def _by_content(composed: Decision, subjects: Subjects, about: str, said: Shape) -> Hit | None:
    """Return the best entry when it belongs to this subject and, if it is the last answer again, speaks of that."""
    if composed.outcome != "answered":
        return None
    hit = composed.hits[0]
    if not (said.rest or said.limits):
        return None  # "is that so?" asks nothing that an entry could answer
    if not subjects.akin(about, hit.entry) or (hit.entry == about and not subjects.mentions(about, said)):
        return None
    return hit


def _unknown(composed: Decision, subjects: Subjects, about: str, said: Shape, top_k: int) -> Decision:
    """Return the decision when this subject's entries do not say it: others of the subject are offered, if any."""
    others = [hit for hit in composed.hits if hit.entry != about]
    related = [
        hit
        for rank, hit in enumerate(others)
        if subjects.same(about, hit.entry)
        or (rank < NEAR and subjects.akin(about, hit.entry) and subjects.holds(hit.entry, said.aspects))
    ]
    hits = (related + [hit for hit in others if hit not in related])[:top_k]
    score = max((hit.score for hit in hits), default=0.0)
    return replace(composed, outcome="clarify" if related else "not_known", score=score, hits=tuple(hits))


def _first(composed: Decision, chosen: Hit, top_k: int) -> Decision:
    hits = (chosen, *(hit for hit in composed.hits if hit is not chosen))[:top_k]
    return replace(composed, outcome="answered", score=chosen.score, hits=hits)
