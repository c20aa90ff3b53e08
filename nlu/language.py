"""Which language a short message is written in, and which language to answer in.

Identification libraries are wrong on every third short question, most of all on Vietnamese typed without
diacritics
(design, Search). A city desk reads short questions in seven languages, so this module looks at what gives
those away:
the script, Vietnamese letters and syllables, and function words. Only the standard library: it runs on both
Pythons.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nlu.languages import DEFAULT, supported
from nlu.text import fold

# A language that is none of ours; its writer is answered in the default language.
OTHER = "other"
# The weight of evidence that flips a conversation from one language to another: about two function words.
RELIABLE_SCORE = 2.0
RELIABLE_SHARE = 0.62

_WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|[@#]\w+")
_FILE = Path(__file__).resolve().parent / "data" / "function_words.txt"

# One ideogram or syllable says as much as two or three Latin letters.
_SCRIPTS: tuple[tuple[str, float, str], ...] = (
    ("hangul", 2.5, r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    ("kana", 2.5, r"[\u3041-\u309f\u30a1-\u30fa\u30fc\uff66-\uff9f]"),
    ("han", 2.5, r"[\u3400-\u9fff\uf900-\ufaff]"),
    ("cyrillic", 1.2, r"[\u0400-\u052f]"),
    ("latin", 1.0, r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]"),
    (
        "another",
        1.5,
        r"[\u0370-\u03ff\u0530-\u10ff\u1200-\u1dff\u1f00-\u1fff\ua980-\uabff\U00010000-\U0001efff]",
    ),  # no emoji
)
_SCRIPT_PATTERNS = tuple((name, weight, re.compile(pattern)) for name, weight, pattern in _SCRIPTS)
# Characters that simplification made in Japan alone, for questions written without any kana.
_JAPANESE_HAN = re.compile("[営駅円図気広売読対応検県様込働畑価沢浜桜戻歩渋総続覧訳転辺鉄両円券発帰験]")
_CHINESE_HAN = re.compile("[们吗呢这哪么谁怎请问开门时间关买卖车电话钱币场馆岛庙贵点听说读写华汉语东]")
_NOT_RUSSIAN = re.compile("[іїєґўђћџљњјѓќәғқңөұүһ]|ъ(?![еёюя])", re.IGNORECASE)

# Letters that no other Latin-script language uses, and letters that only French among ours uses.
# They read lower case: ignoring case would make Turkish ı an i.
_VIETNAMESE = re.compile("[\u1ea0-\u1ef9ăđơư]")
_VIETNAMESE_SHARED = re.compile("[àáãèéìíòóõùúýâêôĩũ]")
_FRENCH = re.compile("[çœëïû]|[cdjlmnst]'(?=[aeiouyéèêàâh])|qu'")
_OTHER_LATIN = re.compile("[ñßäöüåøæłżźśćńěščřžůğşıțșőű]")
# Endings that lean to a language where no word list knows the word.
_ENDINGS = (
    (
        "en",
        re.compile(
            r"(?:.[^aeiouy]ing|..ness|..tional|...ly|..ight|..ough|..sh|..ck|wh...*|.*w[^aeiou]?|.*ee.*|.*oo.+)$"
        ),
    ),
    (
        "fr",
        re.compile(
            r"(?:..ez|..eux|..eaux?|..ée?s?|..ière?|..elle|..ette|..ienne|..aire|..oire|..ux|..ité|.*[èêô].*)$"
        ),
    ),
)
_SYLLABLE = re.compile(
    "(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnprstvx])?"
    "(?:a|ac|ach|ai|am|an|ang|anh|ao|ap|at|au|ay|e|ec|em|en|eng|eo|ep|et|ech|enh|eu|i|ia|ich|iec|iem|ien|ieng|iep|iet|"
    "ieu|im|in|inh|ip|it|iu|o|oa|oac|oach|oai|oam|oan|oang|oanh|oao|oat|oay|oc|oe|oen|oeo|oet|oi|om|on|ong|ooc|op|ot|u|"
    "ua|uan|uang|uat|uay|uc|ue|uech|uenh|ui|um|un|ung|uo|uoc|uoi|uom|uon|uong|uop|uot|uou|up|ut|uu|uy|uya|uych|uyen|"
    "uyet|uynh|uyt|y|yem|yen|yet|yeu)"
)


@dataclass(frozen=True)
class Identified:
    """The language of a message (one of ours or `OTHER`), how sure, and whether enough to switch to it."""

    language: str
    confidence: float
    reliable: bool


def identify(
    text: str, *, previous: str | None = None, chosen: str | None = None, hint: str | None = None
) -> Identified:
    """Return the language `text` is written in.

    Where the text does not say (a name, a number, "ok"), it is the language chosen, else the previous one,
    else the channel's hint, else the default, and not reliable.
    """
    context = supported(chosen) or supported(previous) or supported(hint) or DEFAULT
    stripped = _ADDRESS.sub(" ", text)
    script = _by_script(stripped, context)
    if script is not None:
        return script
    scores = _latin_scores(stripped)
    if not scores:
        return Identified(context, 0.0, reliable=False)
    best, score = max(scores.items(), key=lambda item: (item[1], item[0] == context))
    # The runner-up counts once: all the languages we do not speak are one answer.
    share = score / sum(value for value in scores.values() if value > 0)
    confidence = round(share * (1 - math.exp(-score / 1.5)), 3)
    reliable = score >= RELIABLE_SCORE and share >= RELIABLE_SHARE
    if not reliable and (
        score < 1 or share < 0.45 or (score < RELIABLE_SCORE and scores.get(context, 0) > score * 0.8)
    ):
        return Identified(context, confidence, reliable=False)
    return Identified(best, confidence, reliable=reliable)


def choose_language(
    text: str | Identified, *, previous: str | None = None, chosen: str | None = None, hint: str | None = None
) -> str:
    """Return the language to answer `text` in.

    What the person chose wins over everything; a conversation changes its language only on reliable
    evidence; the
    channel's hint (Telegram's interface language) counts only where nothing else speaks; a language that is
    none of ours is answered in the default one.
    """
    if supported(chosen):
        return str(supported(chosen))
    found = text if isinstance(text, Identified) else identify(text, previous=previous, hint=hint)
    if found.reliable or (not supported(previous) and not supported(hint)):
        return found.language if supported(found.language) else DEFAULT
    if supported(previous):
        return str(supported(previous))
    # The first message, and it is no clear evidence: prefer what was read when it was read at all.
    if found.confidence >= 0.4 and supported(found.language):
        return found.language
    return supported(hint) or DEFAULT


def _by_script(text: str, context: str) -> Identified | None:
    """Decide by writing system; None when the letters are Latin (or there are none)."""
    weights = {name: weight * len(pattern.findall(text)) for name, weight, pattern in _SCRIPT_PATTERNS}
    if sum(weights.values()) > weights["latin"] > 0:
        # "Vĩnh Tràng 사원": the names of this city keep their letters in every script.
        weights["latin"] -= sum(
            len(word) for word in _WORDS.findall(text) if word[0].isupper() and word[0] < "\u0250"
        )
    total = sum(weights.values())
    if not total:
        return None
    foreign = max((name for name in weights if name != "latin"), key=lambda name: weights[name])
    cjk = weights["hangul"] + weights["kana"] + weights["han"]
    if max(cjk, weights[foreign]) * 1.2 < weights["latin"]:
        return None
    confidence = round(max(cjk, weights[foreign]) / total, 3)
    if cjk >= weights["cyrillic"] and cjk >= weights["another"]:
        return _east_asian(text, weights, confidence, context)
    if foreign == "cyrillic":
        language = OTHER if _NOT_RUSSIAN.search(text) else "ru"
        return Identified(language, confidence, reliable=weights["cyrillic"] >= 3)
    return Identified(OTHER, confidence, reliable=weights["another"] >= 3)


def _east_asian(text: str, weights: dict[str, float], confidence: float, context: str) -> Identified:
    if (
        weights["hangul"] >= weights["kana"]
        and weights["hangul"] >= weights["han"] * 0.4
        and weights["hangul"]
    ):
        return Identified("ko", confidence, reliable=True)
    if weights["kana"]:
        return Identified("ja", confidence, reliable=True)
    if _CHINESE_HAN.search(text):
        return Identified("zh", confidence, reliable=True)
    if _JAPANESE_HAN.search(text):
        return Identified("ja", confidence, reliable=True)
    # Ideograms that both write: a Japanese conversation stays Japanese.
    return Identified(
        "ja" if context == "ja" else "zh", confidence * (0.6 if context == "ja" else 0.9), reliable=True
    )


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, list[tuple[str, float]]]:
    """Return {word: [(language, weight)…]}, those that we do not speak included."""
    words: dict[str, dict[str, float]] = defaultdict(dict)
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, _, rest = line.partition(":")
        code, weight = head.split()
        for word in rest.split():
            words[word][code] = max(float(weight), words[word].get(code, 0))
    return {word: list(languages.items()) for word, languages in words.items()}


def _latin_scores(text: str) -> dict[str, float]:
    """Return the evidence per language in a text of Latin letters."""
    scores: dict[str, float] = defaultdict(float)
    lexicon = _lexicon()
    tokens = [token.replace("’", "'") for token in _WORDS.findall(text)]
    plain_syllables = plain_words = 0
    for position, token in enumerate(tokens):
        word = token.lower()
        # A capital inside a sentence marks a name, and the names of this city are Vietnamese in every
        # language.
        name = position > 0 and token[0].isupper() and not token.isupper()
        found = [pair for pair in lexicon.get(word, []) if pair[0] != "vi"]
        folded = fold(word)
        is_syllable = _SYLLABLE.fullmatch(folded) is not None
        ours = sum(bool(supported(language)) for language, _ in found)
        for language, weight in found:
            # A word that several languages share is evidence for each, but less of it; least for those that
            # we do
            # not speak, whose short words ("do", "is", "di") are also English, French or Vietnamese.
            shared = 1.0 if len(found) == 1 else 0.6
            rare = 0.4 if not supported(language) and (ours or (is_syllable and word.isascii())) else 1.0
            scores[language] += weight * min(shared, rare)
        known = any(language == "vi" for language, _ in lexicon.get(folded, []))
        if is_syllable and (_VIETNAMESE.search(word) or (known and not word.isascii() and not found)):
            scores["vi"] += 0.3 if name else 1.6
        elif is_syllable and _VIETNAMESE_SHARED.search(word) and not found:
            scores["vi"] += 0.2 if name else 0.9
        elif word.isascii() and not name:
            plain_words += 1
            plain_syllables += is_syllable
            vietnamese = next((weight for language, weight in lexicon.get(word, []) if language == "vi"), 0)
            scores["vi"] += vietnamese * (0.5 if not found else 0.25)
        if _OTHER_LATIN.search(word):
            scores[OTHER] += 1.5
        if _FRENCH.search(word):
            scores["fr"] += 1.0
        if not found and not name:
            for language, ending in _ENDINGS:
                if ending.search(word):
                    scores[language] += 0.7
    if plain_words:
        # Vietnamese without diacritics is syllables only; one foreign word in three speaks against it.
        share = plain_syllables / plain_words
        if share < 0.67 and scores["vi"] < 3:
            scores["vi"] *= share
        elif share == 1 and plain_words >= 3:
            scores["vi"] += 0.25 * plain_words
    if text.rstrip().endswith(" ?"):
        scores["fr"] += 0.3
    if "¿" in text or "¡" in text:
        scores[OTHER] += 1.5
    # The languages that we do not speak are one answer, but not one sum: the likeliest of them stands for
    # all.
    letters = scores.pop(OTHER, 0.0)
    likeliest = max((value for language, value in scores.items() if not supported(language)), default=0.0)
    return {
        language: value
        for language, value in [*scores.items(), (OTHER, letters + likeliest)]
        if value > 0 and (language == OTHER or supported(language))
    }
