from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.spelling import MOST, Speller

VOCABULARY = {
    "temple": 9, "restaurant": 20, "museum": 3, "chua": 40, "pagoda": 12, "pagodas": 2, "hotel": 5, "hostel": 1,
    "visa": 8, "vinh": 30, "7200": 4, "музеи": 2, "寺庙": 6, "사원": 5, "ma": 7,
}


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller(VOCABULARY)


@pytest.mark.parametrize(("typed", "meant"), [
    ("templr", "temple"), ("tmple", "temple"), ("tempple", "temple"), ("tepmle", "temple"),
    ("restuarent", "restaurant"), ("vihn", "vinh"), ("музеы", "музеи"),
], ids=["another letter", "missing", "too much", "swapped", "two in a long word", "four letters", "Cyrillic"])
def test_a_mistyped_word_finds_the_one_that_was_meant(speller: Speller, typed: str, meant: str):
    near = speller.near(typed)

    assert near[0][0] == meant
    assert 0 < near[0][1] < 1


@pytest.mark.parametrize("typed", ["temple", "tmplse", "mua", "7201", "720o", "寺庿", "사윈", "", "zzzz", "x" * 500],
                         ids=["known", "two in a short word", "short", "digits", "digits and letters", "Chinese",
                              "Korean", "nothing", "nothing near", "endless"])
def test_nothing_is_guessed_where_a_guess_would_be_wrong(speller: Speller, typed: str):
    assert speller.near(typed) == []


def test_fewer_mistakes_weigh_more_than_frequency(speller: Speller):
    assert [word for word, _ in speller.near("pagodass")] == ["pagodas", "pagoda"]
    assert speller.near("hotell")[0][1] > speller.near("restuarent")[0][1]


def test_of_two_words_as_near_the_more_frequent_is_first(speller: Speller):
    assert [word for word, _ in speller.near("hottel")] == ["hotel", "hostel"]


def test_an_empty_vocabulary_knows_nothing():
    assert Speller({}).near("temple") == []


def test_twenty_thousand_words_are_looked_through_quickly():
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(4, 12))) for _ in range(20_000)]
    speller = Speller(dict.fromkeys(words, 1))
    typed = [word[:-1] + "q" for word in words[:300]]

    started = time.thread_time()
    found = [speller.near(each) for each in typed]

    # 0.4 ms measured.
    assert (time.thread_time() - started) / len(typed) < 0.004
    assert sum(bool(each) for each in found) > 250


@given(st.text(max_size=30))
def test_any_term_gets_known_words_only(speller: Speller, term: str):
    near = speller.near(term)

    assert len(near) <= MOST
    assert all(word in VOCABULARY and 0 < weight < 1 for word, weight in near)
    assert near == speller.near(term)
