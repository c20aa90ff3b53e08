from __future__ import annotations

import unicodedata
from functools import lru_cache

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.tokens import ALIASES, CONCEPTS, FOLDER, concepts, tokenize
from nlu.text import MAX_LENGTH, clean, fold

LISTS = (CONCEPTS, FOLDER / "names.yml", FOLDER / "attributes.yml")
VIETNAMESE = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"


@pytest.mark.parametrize("letter", VIETNAMESE + VIETNAMESE.upper())
def test_every_vietnamese_letter_folds_to_ascii_in_nfc_and_nfd(letter: str):
    assert fold(letter).isascii()
    assert fold(unicodedata.normalize("NFD", letter)) == fold(letter)


@pytest.mark.parametrize(("one", "other"), [
    ("hoà", "hòa"), ("thuỷ", "thủy"), ("Chùa Vĩnh Tràng", "chua vinh trang"), ("ĐƯỜNG", "duong"), ("ＡＢＣ", "abc"),
])
def test_spellings_of_one_word_fold_alike(one: str, other: str):
    assert fold(one) == fold(other)


@pytest.mark.parametrize("text", ["が", "パ", "й", "ё", "한국어"])
def test_letters_of_other_scripts_keep_their_marks(text: str):
    assert fold(text) == text


@pytest.mark.parametrize(("text", "terms"), [
    ("Giá vé bao nhiêu?", ["gia", "ve", "bao", "nhieu"]),
    ("门票多少钱", ["门票", "票多", "多少", "少钱"]),
    ("입장료 얼마", ["입장", "장료", "얼마"]),
    ("船", ["船"]),
    ("e-visa 90", ["e", "visa", "90"]),
    ("…!?", []),
])
def test_terms_are_words_or_pairs_of_characters(text: str, terms: list[str]):
    assert tokenize(text) == terms


@pytest.mark.parametrize("spelling", ["Mytho", "美荻", "미토", "ミトー", "Митхо", "my tho", "MỸ THO"])
def test_every_spelling_of_the_citys_name_gives_the_same_terms(spelling: str):
    assert tokenize(spelling) == ["my", "tho"]


@pytest.mark.parametrize("question", [
    "Có cần cho tiền tip không?", "do I tip?", "要给小费吗", "팁 줘야 하나요", "チップは必要ですか",
    "faut-il un pourboire ?", "надо ли оставлять чаевые", "TIPPING",
])
def test_words_of_one_meaning_share_a_concept_in_every_language(question: str):
    assert "tip" in concepts(question)


@pytest.mark.parametrize(("text", "concept"), [
    ("multiple", "tip"), ("съёмка фильма", "film"), ("снимаем документалку", "film"), ("the boats", "boat"),
    ("steamboat", "boat"),
])
def test_a_concepts_words_are_whole_words_with_the_endings_allowed(text: str, concept: str):
    assert (concept in concepts(text)) == (text not in ("multiple", "steamboat"))


@pytest.mark.parametrize("file", [ALIASES, *LISTS], ids=lambda file: file.stem)
def test_every_line_of_the_word_lists_is_a_list_of_texts_in_nfc(file):
    text = file.read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)
    for name, words in yaml.safe_load(text).items():
        assert isinstance(name, str)
        assert all(isinstance(word, str) and word.strip("* ") for word in words), name


def test_a_name_inside_another_word_is_left_alone():
    assert tokenize("mythology") == ["mythology"]


@lru_cache
def yaml_names() -> frozenset[str]:
    return frozenset(name for file in LISTS for name in yaml.safe_load(file.read_text(encoding="utf-8")))


@settings(deadline=None)  # the first text of all reads the lists
@given(st.text(max_size=300))
def test_any_text_can_be_cleaned_and_split(text: str):
    cleaned = clean(text)
    assert len(cleaned.text) <= MAX_LENGTH
    assert clean(cleaned.text).text == cleaned.text
    assert not cleaned.text.startswith("/")
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs") for character in cleaned.text)
    assert all(term.strip() for term in tokenize(cleaned.text))
    assert concepts(cleaned.text) <= yaml_names()


def test_orders_to_the_dialogue_engine_lose_their_slash():
    assert clean('/handoff@1.0{"kind":"press"}').text == 'handoff@1.0{"kind":"press"}'
    assert clean(" \u200b//restart").text == "restart"


def test_a_long_text_is_cut_and_says_so():
    cleaned = clean("a" * 5000)
    assert (len(cleaned.text), cleaned.truncated) == (MAX_LENGTH, True)


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "\u200b\u202e", "?!…"])
def test_a_text_without_letters_or_digits_is_empty(text: str):
    assert clean(text).empty
