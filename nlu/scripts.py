"""Which language a text's writing system gives away: everything but Latin letters."""

from __future__ import annotations

import re

from nlu.chinese import japanese_balance
from nlu.evidence import OTHER, WORDS, Identified
from nlu.latin import lexicon
from nlu.trigrams import look

# One ideogram or syllable says as much as two or three Latin letters.
_SCRIPTS: tuple[tuple[str, float, str], ...] = (
    ("hangul", 2.5, r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    ("kana", 2.5, r"[\u3041-\u309f\u30a1-\u30fa\u30fc\uff66-\uff9f]"),
    ("han", 2.5, r"[\u3400-\u9fff\uf900-\ufaff]"),
    ("cyrillic", 1.2, r"[\u0400-\u052f]"),
    ("latin", 1.0, r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]"),
    # All others, emoji left out.
    ("another", 1.5, r"[\u0370-\u03ff\u0530-\u10ff\u1200-\u1dff\u1f00-\u1fff\ua980-\uabff\U00010000-\U0001efff]"),
)
_PATTERNS = tuple((name, weight, re.compile(pattern)) for name, weight, pattern in _SCRIPTS)
_SYLLABLES = re.compile(r"[\uac00-\ud7af]")
_NOT_RUSSIAN = re.compile("[іїєґўђћџљњјѓќәғқңөұүһ]|ъ(?![еёюя])", re.IGNORECASE)
# How likely each language of the alphabet is before its words are read.
_CYRILLIC = {"ru": 1.0, "uk": 0.02, "bg": 0.002, "mk": 0.001}
# Ideograms that show no language of their own flip a conversation from this many on.
_ENOUGH_IDEOGRAMS = 4


def by_script(text: str, context: str) -> Identified | None:
    """Decide by writing system; None when the letters are Latin (or there are none).

    `context` is the language that the conversation has so far: ideograms that both Chinese and Japanese write
    stay in it.
    """
    weights = {name: weight * len(pattern.findall(text)) for name, weight, pattern in _PATTERNS}
    if sum(weights.values()) > weights["latin"] > 0:
        # "Vĩnh Tràng 사원": the names of this city keep their letters in every script.
        names = (word for word in WORDS.findall(text) if word[0].isupper() and word[0] < "\u0250")
        weights["latin"] -= sum(map(len, names))
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
        return Identified(_cyrillic(text), confidence, reliable=weights["cyrillic"] >= 3)
    return Identified(OTHER, confidence, reliable=weights["another"] >= 3)


def _east_asian(text: str, weights: dict[str, float], confidence: float, context: str) -> Identified:
    if weights["hangul"] and weights["hangul"] >= max(weights["kana"], weights["han"] * 0.4):
        # "ㅋㅋ" is no Korean sentence; a whole syllable is.
        return Identified("ko", confidence, reliable=bool(_SYLLABLES.search(text)))
    if weights["kana"]:
        return Identified("ja", confidence, reliable=True)
    balance = japanese_balance(text)
    if balance:
        # A single ideogram is too little to flip a conversation.
        reliable = abs(balance) >= 1 and weights["han"] > 2.5
        return Identified("ja" if balance > 0 else "zh", confidence, reliable=reliable)
    # Ideograms that both write: a Japanese conversation stays Japanese.
    reliable = context != "ja" and weights["han"] >= 2.5 * _ENOUGH_IDEOGRAMS
    return Identified("ja" if context == "ja" else "zh", confidence * 0.75, reliable=reliable)


def _cyrillic(text: str) -> str:
    words = [word.lower() for word in WORDS.findall(text) if word[0] >= "\u0400"]
    if _NOT_RUSSIAN.search(text) or any(word in lexicon() for word in words):
        return OTHER
    looks = look(words, _CYRILLIC)
    return "ru" if looks["ru"] == max(looks.values()) else OTHER
