"""The evidence for each language in a text of Latin letters."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from nlu.evidence import OTHER, WORDS
from nlu.languages import supported
from nlu.text import fold
from nlu.trigrams import look

_DATA = Path(__file__).resolve().parent / "data"
_FILES = (_DATA / "function_words.txt", _DATA / "topic_words.txt")

# Letters that no other Latin-script language uses, and letters that only French among ours uses.
# They read lower case: ignoring case would make Turkish ı an i.
_VIETNAMESE = re.compile("[\u1ea0-\u1ef9ăđơư]")
_VIETNAMESE_SHARED = re.compile("[àáãèéìíòóõùúýâêôĩũ]")
_FRENCH = re.compile("[çœëïû]|[cdjlmnst]'(?=[aeiouyéèêàâh])|qu'")
_OTHER_LATIN = re.compile("[ñßäöüåøæłżźśćńěščřžůğşıțșőű]")
_SYLLABLE = re.compile(
    "(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnprstvx])?"
    "(?:a|ac|ach|ai|am|an|ang|anh|ao|ap|at|au|ay|e|ec|em|en|eng|eo|ep|et|ech|enh|eu|i|ia|ich|iec|iem|ien|ieng|iep|iet|"
    "ieu|im|in|inh|ip|it|iu|o|oa|oac|oach|oai|oam|oan|oang|oanh|oao|oat|oay|oc|oe|oen|oeo|oet|oi|om|on|ong|ooc|op|ot|u|"
    "ua|uan|uang|uat|uay|uc|ue|uech|uenh|ui|um|un|ung|uo|uoc|uoi|uom|uon|uong|uop|uot|uou|up|ut|uu|uy|uya|uych|uyen|"
    "uyet|uynh|uyt|y|yem|yen|yet|yeu)"
)
# Places and a dish that every language names so: alone they say nothing, typed without a capital neither.
_NAMES = re.compile(
    r"\b(?:my tho|ben tre|thoi son|vinh trang|vinh tràng|can tho|cai be|tien giang|dong thap|tan huong|dao thanh|"
    r"go cong|dong tam|rach mieu|ho chi minh|sai gon|saigon|mekong|viet ?nam|hu tieu)\b",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[^\W\d_]+")
# How much the letters of words can say at most, and how likely a language that we do not speak is beside one of ours.
_LETTERS_WEIGHT = 3.0
_FOREIGN_PRIOR = 0.03
_FOREIGN = ("de", "es", "it", "pt", "nl", "pl", "cs", "tr", "id", "tl", "sv", "da", "fi", "hu", "ro")
_PRIORS = {
    **{"vi": 1.0, "en": 1.0, "fr": 1.0},
    **dict.fromkeys(_FOREIGN, _FOREIGN_PRIOR),
}


@lru_cache(maxsize=1)
def lexicon() -> dict[str, list[tuple[str, float]]]:
    """Return {word: [(language, weight)…]}, those that we do not speak included (of Russian's alphabet: only those)."""
    words: dict[str, dict[str, float]] = defaultdict(dict)
    for line in (line for file in _FILES for line in file.read_text(encoding="utf-8").splitlines()):
        if not line.strip() or line.startswith("#"):
            continue
        head, _, rest = line.partition(":")
        code, weight = head.split()
        for word in rest.split():
            words[word][code] = max(float(weight), words[word].get(code, 0))
    return {word: list(languages.items()) for word, languages in words.items()}


def words_of(text: str) -> list[str]:
    """Return the words of a text, without the names that stand in every language."""
    return WORDS.findall(_NAMES.sub(" ", text))


def latin_scores(text: str) -> dict[str, float]:
    """Return the evidence per language in a text of Latin letters."""
    scores: dict[str, float] = defaultdict(float)
    known_words = lexicon()
    tokens = [token.replace("’", "'") for token in words_of(text)]
    # "Google Maps", "Sarah Miller": where every word has a capital, so does the first for that reason.
    all_names = len(tokens) > 1 and all(token.istitle() for token in tokens)
    plain_syllables = plain_words = 0
    looked_at: list[str] = []
    for position, token in enumerate(tokens):
        word = token.lower()
        # A capital inside a sentence marks a name, and the names of this city are Vietnamese in every language.
        name = (position > 0 or all_names) and token[0].isupper() and not token.isupper()
        found = [pair for pair in known_words.get(word, []) if pair[0] != "vi"]
        folded = fold(word)
        is_syllable = _SYLLABLE.fullmatch(folded) is not None
        ours = sum(bool(supported(language)) for language, _ in found)
        for language, weight in found:
            # A word that several languages share is evidence for each, but less of it; least for those that we do
            # not speak, whose short words ("do", "is", "di") are also English, French or Vietnamese.
            shared = 1.0 if len(found) == 1 else 0.6
            rare = 0.4 if not supported(language) and (ours or (is_syllable and word.isascii())) else 1.0
            scores[language] += weight * min(shared, rare) * (0.4 if name else 1.0)
        known = any(language == "vi" for language, _ in known_words.get(folded, []))
        if is_syllable and (_VIETNAMESE.search(word) or (known and not word.isascii() and not found)):
            scores["vi"] += 0.3 if name else 1.6
        elif is_syllable and _VIETNAMESE_SHARED.search(word) and not found:
            scores["vi"] += 0.2 if name else 0.9
        elif word.isascii() and not name:
            plain_words += 1
            vietnamese = next((weight for language, weight in known_words.get(word, []) if language == "vi"), 0)
            plain_syllables += is_syllable or vietnamese >= 2  # "ko", "dc": what chats shorten
            scores["vi"] += vietnamese * (0.5 if not found else 0.25)
        if _OTHER_LATIN.search(word):
            scores[OTHER] += 1.5
        if _FRENCH.search(word):
            scores["fr"] += 1.0
        # A word that two of our languages share ("continue") looks like one of them only by chance.
        if not name and ours < 2:
            looked_at += _PARTS.findall(word)
    if plain_words:
        # Vietnamese without diacritics is syllables only; one foreign word in three speaks against it.
        share = plain_syllables / plain_words
        if share < 0.67 and scores["vi"] < 3:
            scores["vi"] *= share
        elif share == 1 and plain_words >= 3:
            scores["vi"] += 0.25 * plain_words
    for language, weight in _letters(looked_at).items():
        scores[language] += weight
    if text.rstrip().endswith(" ?"):
        scores["fr"] += 0.3
    if "¿" in text or "¡" in text:
        scores[OTHER] += 1.5
    # The languages that we do not speak are one answer, but not one sum: the likeliest of them stands for all.
    letters = scores.pop(OTHER, 0.0)
    likeliest = max((value for language, value in scores.items() if not supported(language)), default=0.0)
    return {
        language: value
        for language, value in [*scores.items(), (OTHER, letters + likeliest)]
        if value > 0 and (language == OTHER or supported(language))
    }


def _letters(words: list[str]) -> dict[str, float]:
    """Return what the look of the words says for each language: the more letters, the more weight."""
    seen = sum(len(word) for word in words)
    if seen < 3:
        return {}
    weight = _LETTERS_WEIGHT * (1 - math.exp(-seen / 8))
    evidence: dict[str, float] = defaultdict(float)
    for language, share in look(words, _PRIORS).items():
        # Here the languages we do not speak add up: Italian may look like Romanian, and is no French for that.
        evidence[language if supported(language) else OTHER] += weight * share
    return {language: value for language, value in evidence.items() if value >= 0.1 * weight}
