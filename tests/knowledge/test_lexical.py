from __future__ import annotations

import numpy as np

from knowledge.lexical import LexicalIndex

TEXTS = ("Is tipping expected?", "cho tiền tip bao nhiêu", "How much is the boat?", "Do not tip the boat over.")
OWNERS = (0, 0, 1, 1)
ASKS = (True, True, True, False)


def index() -> LexicalIndex:
    return LexicalIndex(TEXTS, OWNERS, ASKS)


def test_words_count_by_their_rarity_and_unknown_ones_against_an_entry():
    scores = index().scores("boat")
    assert np.allclose(scores.words, [0, 1])
    assert index().scores("boat zeppelin").words[1] < 0.5


def test_a_question_in_another_language_shares_the_concept():
    scores = index().scores("чаевые")
    assert scores.words.max() == 0
    assert scores.evidence[0] > scores.evidence[1] > 0  # asked about in the first, only mentioned in the second


def test_what_no_entry_mentions_is_missing_everywhere():
    scores = index().scores("hotel")
    assert (scores.evidence == 0).all()
    assert (scores.missing > 1).all()


def test_the_best_passage_is_the_one_with_the_questions_words():
    assert index().scores("how much is the boat").passages.argmax() == 2


def test_a_question_without_terms_shares_nothing():
    scores = index().scores("…!?")
    assert not scores.passages.any()
    assert not scores.words.any()


def test_an_empty_index_can_be_asked():
    assert len(LexicalIndex((), (), ()).scores("boat").words) == 0


def test_a_mistyped_word_counts_as_what_it_may_stand_for_but_less():
    texts = ("Where is the restaurant?", "Where is the pagoda?")
    made = LexicalIndex(texts, (0, 1), (True, True))
    typed, right = made.scores("restuarant"), made.scores("restaurant")
    assert typed.words.argmax() == typed.passages.argmax() == 0
    assert 0 < typed.words[0] < right.words[0]
    assert typed.words[1] == 0
