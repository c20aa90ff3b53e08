"""What cleaning and folding promise, for every Vietnamese syllable and for whatever else people send."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlu.text import MAX_LENGTH, clean, fold, place_tones

TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
ONSETS = ("", "b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph",
          "qu", "r", "s", "t", "th", "tr", "v", "x")
CODAS = ("", "c", "ch", "m", "n", "ng", "nh", "p", "t")
VOWELS = ("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y")
# Each with the letter that carries the tone in the common spelling where no consonant follows.
RHYMES = {
    "ai": 0, "ao": 0, "au": 0, "ay": 0, "âu": 0, "ây": 0, "eo": 0, "êu": 0, "ia": 0, "iu": 0, "iêu": 1, "oa": 0,
    "oe": 0, "oi": 0, "ôi": 0, "ơi": 0, "oai": 1, "oay": 1, "oao": 1, "oeo": 1, "ua": 0, "ưa": 0, "ui": 0, "ưi": 0,
    "ưu": 0, "uây": 1, "uê": 1, "uơ": 1, "uôi": 1, "ươi": 1, "ươu": 1, "uy": 0, "uya": 1, "uyu": 1, "yêu": 1,
}
CLOSED = ("iê", "yê", "uô", "ươ", "oă", "uâ", "oa", "oe", "uê", "uy", "uyê")
PLAIN = str.maketrans("ăâđêôơư", "aadeoou")


def _with_tone(syllable: str, at: int, tone: str) -> str:
    return unicodedata.normalize("NFC", syllable[: at + 1] + tone + syllable[at + 1 :])


def _syllables() -> list[tuple[str, str, str]]:
    """Every onset with every rhyme and tone: (common spelling, the tone on the other letter, without any marks)."""
    found = []
    for onset in ONSETS:
        for tone in TONES:
            for vowel in VOWELS:
                for coda in CODAS:
                    word = onset + vowel + coda
                    found.append((_with_tone(word, len(onset), tone), "", word))
            if onset != "qu":
                for rhyme, at in RHYMES.items():
                    word = onset + rhyme
                    other = _with_tone(word, len(onset) + 1, tone) if rhyme in ("oa", "oe", "uy") else ""
                    found.append((_with_tone(word, len(onset) + at, tone), other, word))
                for rhyme in CLOSED:
                    for coda in CODAS[1:]:
                        word = onset + rhyme + coda
                        at = len(onset) + len(rhyme) - 1
                        other = _with_tone(word, len(onset), tone) if rhyme in ("oa", "oe", "uy") else ""
                        found.append((_with_tone(word, at, tone), other, word))
    return found


SYLLABLES = _syllables()
# Letters and marks that change each other, with what is taken out between them: random characters hardly ever meet.
NASTY = (
    "aAeouyqiIdđĐưƠ/ \t\x00\u200d\u200b\ud800\udc00\u0323\u0302\u0301\u031b"
    "\u1ea0\u0130\u0345\u1100\u1161\u11a8\uff44\u2126\uac00がか\u3099"
)
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=200) | st.text(st.sampled_from(NASTY), max_size=12)


def test_every_syllable_folds_to_its_plain_letters_however_it_is_encoded():
    assert len(SYLLABLES) > 20_000
    for common, other, bare in SYLLABLES:
        # kí, lí, mĩ, quí … are ký, lý, mỹ, quý.
        plain = {bare.translate(PLAIN), bare.translate(PLAIN)[:-1] + "y", bare.translate(PLAIN)[:-1] + "i"}
        folded = fold(common)
        assert folded in plain, common
        assert {fold(unicodedata.normalize("NFD", common)), fold(common.upper()), fold(folded)} == {folded}, common
        assert not other or fold(other) == folded, other


def test_every_syllable_has_one_tone_placement_however_it_is_encoded():
    for common, other, _ in SYLLABLES:
        assert place_tones(common) == common
        assert place_tones(unicodedata.normalize("NFD", common)) == common
        assert not other or place_tones(other) == common, other
        assert not other or place_tones(other.upper()) == common.upper(), other


@pytest.mark.parametrize(("typed", "placed"), [
    ("Hoà bình, thuỷ thủ khoẻ", "Hòa bình, thủy thủ khỏe"), ("QUÝ QUẢ", "QUÝ QUẢ"), ("hòan tòan", "hoàn toàn"),
    ("ngoài khoái loạn", "ngoài khoái loạn"), ("café, naïve, über", "café, naïve, über"), ("", ""),
])
def test_tones_are_moved_where_both_places_are_in_use_and_nowhere_else(typed: str, placed: str):
    assert place_tones(typed) == placed


@pytest.mark.parametrize(("one", "other"), [
    ("Mĩ Tho", "Mỹ Tho"), ("quí khách", "quý khách"), ("kĩ sư", "kỹ sư"), ("bác sỹ", "bác sĩ"), ("tỉ lệ", "tỷ lệ"),
    ("lí do", "lý do"),
])
def test_i_and_y_are_the_same_where_a_tone_shows_that_they_are(one: str, other: str):
    assert fold(one) == fold(other) == fold(unicodedata.normalize("NFD", one))


@pytest.mark.parametrize(("one", "other"), [("mì", "mỹ"), ("mi", "my"), ("tai", "tay"), ("thúi", "thúy")])
def test_i_and_y_are_kept_apart_elsewhere(one: str, other: str):
    assert fold(one) != fold(other)


@given(st.lists(st.sampled_from(SYLLABLES), max_size=12), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_sentences_are_the_same_in_every_encoding_and_placement(words: list[tuple[str, str, str]], form: str):
    common = " ".join(each for each, _, _ in words)
    typed = unicodedata.normalize(form, " ".join(other or each for each, other, _ in words))

    assert place_tones(typed) == common
    assert fold(typed) == fold(common)
    assert clean(typed, 10_000).text == unicodedata.normalize("NFC", typed)


@example("oa\u0301\u0302")
@settings(max_examples=300)
@given(ANYTHING)
def test_anything_can_be_folded_and_its_tones_placed_twice_with_the_same_result(text: str):
    assert fold(fold(text)) == fold(text)
    assert place_tones(place_tones(text)) == place_tones(text)


@example("e\u200d\u0301", 5)
@settings(max_examples=300)
@given(ANYTHING, st.integers(1, 60))
def test_anything_can_be_cleaned_twice_with_the_same_result_and_is_bounded(raw: str, most: int):
    cleaned = clean(raw, most)

    assert len(cleaned.text) <= most
    assert clean(cleaned.text, most).text == cleaned.text
    assert cleaned.text == cleaned.text.strip()
    assert not cleaned.text.startswith("/")
    assert not {unicodedata.category(each) for each in cleaned.text} & {"Cc", "Cf", "Cs", "Cn", "Co"}
    assert cleaned.text.encode("utf-8").decode("utf-8") == cleaned.text


@pytest.mark.parametrize("raw", [
    "\x00", "a\x00b", "\ud800", "a\udfffb", "\u202egnp.exe\u202c", "\u2066abc\u2069", "\u200b\u200d\ufeff",
    "\u2028\u2029", "///", "/ / /restart", "…!?，。", "\x1b[31m", "\U000e0041", "\ufdfa" * 2000, "a" * 100_000,
    "ệ" * 100_000, "e" + "\u0323\u0302" * 50_000, " " * 100_000, "\U0001f468\u200d\U0001f469",
], ids=ascii)
def test_hostile_texts_are_cleaned(raw: str):
    cleaned = clean(raw)

    assert len(cleaned.text) <= MAX_LENGTH
    assert clean(cleaned.text).text == cleaned.text
    assert cleaned.text.isprintable()


@pytest.mark.parametrize("raw", ["", "…!?", "\x00\u200b", "\U0001f600", "///"])
def test_a_text_without_letters_and_digits_is_empty(raw: str):
    assert clean(raw).empty
