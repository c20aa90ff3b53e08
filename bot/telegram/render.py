"""From a stored reply to Telegram's HTML, keyboards and map pins."""

from __future__ import annotations

from html import escape
from typing import Any

from django.conf import settings
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import MessageLimit

from bot.notes import lines_under

# Telegram cuts button labels on small screens long before this; the whole question stands in the answer.
MAX_LABEL = 60
# Room for the markup that the limit on text does not count the same way.
MAX_TEXT = MessageLimit.MAX_TEXT_LENGTH - 96


def keyboard(reply: dict[str, Any]) -> InlineKeyboardMarkup | None:
    """Return one button a row (labels are whole questions), or None without buttons."""
    rows = [
        [InlineKeyboardButton(_shorten(button["label"], MAX_LABEL), callback_data=button["id"])]
        for button in reply.get("buttons") or []
    ]
    return InlineKeyboardMarkup(rows) if rows else None


def html(reply: dict[str, Any], language: str) -> str:
    """Return a reply as Telegram HTML: the text, then the notes and the source in italics."""
    parts = [escape(reply["text"])]
    notes = []
    for note in lines_under(reply, language, settings.CHAT_URL):
        line = escape(note.text)
        if note.url:
            line = line.replace(escape(note.link), f'<a href="{escape(note.url)}">{escape(note.link)}</a>', 1)
        notes.append(f"<i>{line}</i>")
    if notes:
        parts.append("\n".join(notes))
    return "\n\n".join(parts)


def plain(reply: dict[str, Any], language: str) -> str:
    """Return the same without markup, for the retry after Telegram refused the HTML."""
    notes = [f"{note.text} {note.url}".strip() for note in lines_under(reply, language, settings.CHAT_URL)]
    return "\n\n".join(part for part in (reply["text"], "\n".join(notes)) if part)


def split(text: str, limit: int = MAX_TEXT) -> list[str]:
    """Split a plain text into pieces of at most `limit` characters, at paragraphs, lines or words where possible."""
    pieces = []
    while len(text) > limit:
        cut = max(text.rfind(mark, limit // 2, limit) for mark in ("\n\n", "\n", " "))
        cut = cut if cut > 0 else limit
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


def _shorten(label: str, limit: int) -> str:
    return label if len(label) <= limit else label[: limit - 1].rstrip() + "…"
