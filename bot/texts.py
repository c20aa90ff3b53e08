"""What the desk says, by key and language: the responses of `domain/` and the channels' own `bot/texts.yml`.

The dialogue engine fills its responses by itself; this module is for what `bot` says without it, and lets it say the
same words when Rasa is down.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from nlu.languages import DEFAULT

ROOT = Path(__file__).resolve().parent.parent
Texts = dict[str, dict[str, str]]


def read_channel_texts(file: Path = ROOT / "bot" / "texts.yml") -> Texts:
    """Return {key: {language: text}} of the channels' own texts."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def read_responses(folder: Path = ROOT / "domain") -> Texts:
    """Return {utter_key: {language: text}} of the dialogue's responses; the one without condition is the default."""
    texts: Texts = {}
    for file in sorted(folder.glob("*.yml")):
        for key, variants in (yaml.safe_load(file.read_text(encoding="utf-8")).get("responses") or {}).items():
            for variant in variants:
                if "text" in variant:
                    texts.setdefault(key, {})[_language(variant)] = variant["text"]
    return texts


def _language(variant: dict[str, Any]) -> str:
    for condition in variant.get("condition", []):
        if condition.get("name") == "language":
            return condition["value"]
    return DEFAULT


@lru_cache(maxsize=1)
def _all() -> Texts:
    return read_responses() | read_channel_texts()


def say(key: str, language: str, /, **values: object) -> str:
    """Return the text of `key` in `language` (English where we do not speak it), placeholders filled.

    Raises KeyError for a key that nobody wrote: the contract tests find that before a reader does.
    """
    variants = _all()[key]
    text = variants.get(language) or variants[DEFAULT]
    return text.format(**values) if values else text


def spoken(key: str) -> frozenset[str]:
    """Return a text in every language, case folded: a label may be typed instead of pressed."""
    return frozenset(text.casefold() for text in _all()[key].values())
