"""The lines under a reply: fallback and out-of-date notes, source and date, the staff's name plate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.texts import say
from nlu.languages import LANGUAGES

NAMES = {language.code: language.name for language in LANGUAGES}
# How a date is written where no library need be asked: day first except where the year leads.
DATE_FORMATS = {
    "vi": "%d/%m/%Y", "en": "%d %b %Y", "zh": "%Y年%m月%d日", "ko": "%Y년 %m월 %d일",
    "ja": "%Y年%m月%d日", "fr": "%d/%m/%Y", "ru": "%d.%m.%Y",
}


@dataclass(frozen=True)
class Note:
    """One line under a reply; `link` is the part of `text` that leads to `url`."""

    text: str
    link: str = ""
    url: str = ""


def map_url(place: dict[str, Any]) -> str:
    """Return a map of the place: its pin where the coordinates are known, else a search for its name."""
    if place.get("latitude") is not None:
        pin = f"mlat={place['latitude']}&mlon={place['longitude']}"
        return f"https://www.openstreetmap.org/?{pin}#map=17/{place['latitude']}/{place['longitude']}"
    return f"https://www.openstreetmap.org/search?query={quote(place['name'])}"


def size_text(size: int) -> str:
    """Return a file's size in bytes as readers see it: "300 kB", "1.2 MB"."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


def lines_under(reply: dict[str, Any], language: str, site: str = "") -> list[Note]:
    """Return the lines under a reply in the reader's language, in the order they are shown.

    `site` is the chat's address, on which documents lie.
    """
    notes = []
    checked = reply.get("verified_on") and dt.date.fromisoformat(reply["verified_on"]).strftime(DATE_FORMATS[language])
    if reply.get("clarification"):
        notes.append(Note(say("clarification_line", language, date=checked)))
    if reply.get("fallback"):
        notes.append(Note(say("fallback_note", language, language=NAMES[reply["language"]])))
    if reply.get("outdated"):
        notes.append(Note(say("outdated_note", language)))
    if event := reply.get("event"):
        notes.append(Note(say("event_line", language, days=event)))
    if (place := reply.get("place")) and place.get("address"):
        notes.append(Note(f"📍 {place['address']}", link=place["address"], url=map_url(place)))
    for file in reply.get("files") or ():
        if file["kind"] == "document":
            line = say("document_line", language, title=file["title"], size=size_text(file["size"]))
            notes.append(Note(line, link=file["title"], url=site + quote(file["url"])))
    if source := reply.get("source"):
        line = say("source_line", language, title=source["title"], date=checked)
        notes.append(Note(line, link=source["title"], url=source["url"]))
    return notes
