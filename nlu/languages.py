"""The one list of languages that Citydesk speaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """A supported language: its code, its name in itself, and how Telegram names it."""

    code: str
    name: str
    telegram: str


LANGUAGES: tuple[Language, ...] = (
    Language("vi", "Tiếng Việt", "vi"),
    Language("en", "English", "en"),
    Language("zh", "中文", "zh"),
    Language("ko", "한국어", "ko"),
    Language("ja", "日本語", "ja"),
    Language("fr", "Français", "fr"),
    Language("ru", "Русский", "ru"),
)
CODES: tuple[str, ...] = tuple(language.code for language in LANGUAGES)

# What a reader gets whose language is none of ours, and the variant of every response that has no condition.
DEFAULT = "en"
# The language the editors write in: the original of every entry.
SOURCE = "vi"


def supported(code: str | None) -> str | None:
    """Return our code for a language tag such as `zh-hans` or `pt-BR`, or None when we do not speak it."""
    base = (code or "").replace("_", "-").split("-")[0].lower()
    return base if base in CODES else None


def answer_order(language: str) -> tuple[str, ...]:
    """Return the languages to try for a reader of `language`: theirs, English, Vietnamese, then the rest."""
    first = [language, DEFAULT, SOURCE]
    return tuple(dict.fromkeys([code for code in [*first, *CODES] if code in CODES]))
