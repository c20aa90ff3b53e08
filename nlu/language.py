"""Which language a short message is written in, and which language to answer in.

Identification libraries are wrong on every sixth short question, most of all on Vietnamese typed without diacritics
(`python -m tests.bench.language` shows it). A city desk reads short questions in seven languages, so these modules
look at what gives those away: the script (nlu/scripts.py, nlu/chinese.py); Vietnamese letters and syllables, and
function words (nlu/latin.py); and the letters of words that no list knows (nlu/trigrams.py). Only the standard
library: it runs on both Pythons.
"""

from __future__ import annotations

import math
import re

from nlu.evidence import OTHER, Identified
from nlu.languages import DEFAULT, supported
from nlu.latin import latin_scores, words_of
from nlu.scripts import by_script

__all__ = ["OTHER", "Identified", "choose_language", "identify"]

# The weight of evidence that flips a conversation from one language to another: about two function words.
RELIABLE_SCORE = 2.0
RELIABLE_SHARE = 0.62
# With this much evidence, about six function words, a smaller share of all that speaks for any language is enough.
PLENTY, PLENTY_SHARE = 4.0, 0.55

_ADDRESS = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|\w+\.(?:com|net|org|vn)\b|[@#]\w+")


def identify(
    text: str, *, previous: str | None = None, chosen: str | None = None, hint: str | None = None
) -> Identified:
    """Return the language `text` is written in.

    Where the text does not say (a name, a number, "ok"), it is the language chosen, else the previous one, else the
    channel's hint, else the default, and not reliable.
    """
    known = supported(chosen) or supported(previous) or supported(hint)
    context = known or DEFAULT
    stripped = _ADDRESS.sub(" ", text)
    script = by_script(stripped, context)
    if script is not None:
        return script
    scores = latin_scores(stripped)
    if not scores:
        return Identified(context, 0.0, reliable=False)
    best, score = max(scores.items(), key=lambda item: (item[1], item[0] == context))
    # The runner-up counts once: all the languages we do not speak are one answer.
    share = score / sum(value for value in scores.values() if value > 0)
    confidence = round(share * (1 - math.exp(-score / 1.5)), 3)
    # One word may be a name, or a word that travels ("restaurant", "menu"): it never flips a conversation.
    clear = share >= RELIABLE_SHARE or (score >= PLENTY and share >= PLENTY_SHARE)
    reliable = score >= RELIABLE_SCORE and clear and len(words_of(stripped)) >= 2
    if not reliable and known and (
        score < 1 or share < 0.45 or (score < RELIABLE_SCORE and scores.get(context, 0) > score * 0.8)
    ):
        return Identified(context, confidence, reliable=False)
    return Identified(best, confidence, reliable=reliable)


def choose_language(
    text: str | Identified, *, previous: str | None = None, chosen: str | None = None, hint: str | None = None
) -> str:
    """Return the language to answer `text` in.

    What the person chose wins over everything; a conversation changes its language only on reliable evidence; the
    channel's hint (Telegram's interface language) counts only where nothing else speaks; a language that is none of
    ours is answered in the default one.
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
