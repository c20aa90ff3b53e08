"""Brochures and pictures that go with an answer: which a reader gets, and their bytes.

Only what hangs on an entry that may be answered now is given out, under addresses of the chat: the console's media are
nobody's but the staff's. A picture is given as pixels alone, never as it was brought: a photograph's file may tell
where and with which telephone it was taken.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.utils.text import get_valid_filename
from PIL import Image

from knowledge.models import Attachment, Entry, Translation
from nlu.languages import answer_order

PICTURE, DOCUMENT = "picture", "document"
# Fits a telephone's screen twice over; some 200 kB.
RENDITION = "max-1280x1280|format-jpeg|jpegquality-90"
# More is a library, not an answer.
MOST_DOCUMENTS = 3


@dataclass(frozen=True)
class Given:
    """A file as a channel sends it."""

    name: str
    content_type: str
    content: bytes


def files_of(entry: Entry, translation: Translation) -> list[dict[str, Any]]:
    """Return what goes with an answer, as the reply tells it: the picture, then documents in the reader's language.

    A document without a language is everybody's; where none is in the reader's, those in the next best one are given.
    """
    files: list[dict[str, Any]] = []
    if entry.picture_id:
        shown = translation.picture_text or translation.question
        files.append({"kind": PICTURE, "title": shown, "url": f"/files/{PICTURE}/{entry.pk}/{entry.picture_id}.jpg"})
    rows = list(entry.attachments.select_related("document"))
    spoken = {row.language for row in rows}
    best = next((code for code in answer_order(translation.language) if code in spoken), None)
    for row in [row for row in rows if row.language in ("", best)][:MOST_DOCUMENTS]:
        address = f"/files/{DOCUMENT}/{row.pk}/{_name(row)}"
        title = row.document.title
        files.append({"kind": DOCUMENT, "title": title, "url": address, "size": row.document.get_file_size() or 0})
    return files


def read(kind: str, number: int) -> Given | None:
    """Return a picture (by its entry) or a document (by its attachment); None when it may not be given, or is gone."""
    if kind == PICTURE:
        return _picture(number)
    row = Attachment.objects.filter(pk=number, entry__in=Entry.objects.answerable()).select_related("document").first()
    if row is None:
        return None
    try:
        with row.document.file.open("rb") as file:
            return Given(_name(row), row.document.content_type, file.read())
    except OSError:
        return None


def _picture(number: int) -> Given | None:
    entry = Entry.objects.answerable().filter(pk=number).select_related("picture").first()
    if entry is None or entry.picture is None:
        return None
    try:
        with entry.picture.get_rendition(RENDITION).file.open("rb") as file, Image.open(file) as small:
            bare = io.BytesIO()
            # A rendition keeps what the camera wrote into the file (EXIF); saved anew without it, only pixels are left.
            small.convert("RGB").save(bare, "JPEG", quality=85)
            return Given(f"{entry.slug}.jpg", "image/jpeg", bare.getvalue())
    except OSError:  # SourceImageIOError is one: the file is not there
        return None


def _name(row: Attachment) -> str:
    suffix = PurePosixPath(row.document.filename).suffix.lower()
    return f"{get_valid_filename(row.document.title)[:80].rstrip('.')}{suffix}"
