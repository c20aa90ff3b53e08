"""Files that askers send along: checked by what they are, kept outside the web root under a name of chance.

Nothing here serves a file: the console does, to people who may see its ticket, as a download.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import unicodedata
from pathlib import Path

import filetype
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bot.models import Conversation
from desk.models import WAITING, FileState, State, Ticket, TicketEvent, TicketFile
from desk.tickets import event, lock

# What a letter of accreditation or a photograph is, by its first bytes; nothing that a browser or an office program
# would run. A file's name and the type its sender claims are believed nowhere.
TYPES = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
# Files a conversation may leave with one request.
MAX_FILES = 10
MAX_NAME = 120


class FileRefused(Exception):
    """A file that is not kept; `key` is the text of bot/texts.yml that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def wanted(conversation: Conversation) -> bool:
    """Tell whether there is a request a file could belong to: a form being filled in, or a ticket being worked on."""
    return bool(conversation.form) or ticket_of(conversation) is not None


def ticket_of(conversation: Conversation) -> Ticket | None:
    """Return the ticket that a file sent now belongs to; while a form is open it is the one to come (None)."""
    if conversation.form:
        return None
    if conversation.replying_to_id:
        return conversation.replying_to
    open_states = (*WAITING, State.ANSWERED)
    return conversation.tickets.filter(state__in=open_states).order_by("-id").first()


def keep(file: TicketFile, data: bytes) -> TicketFile:
    """Check a file's bytes and store them; raises FileRefused, with the row saying why, for what is not kept."""
    try:
        kind = _checked(file, data)
    except FileRefused as refused:
        TicketFile.objects.filter(pk=file.pk).update(state=FileState.REFUSED, error=refused.key, size=len(data))
        raise
    path = f"{timezone.now():%Y/%m}/{secrets.token_hex(16)}.{TYPES[kind]}"
    _write(settings.FILES_ROOT / path, data)
    file.state, file.content_type, file.size, file.path = FileState.STORED, kind, len(data), path
    file.sha256 = hashlib.sha256(data).hexdigest()
    file.save()
    return file


def attach(file: TicketFile, ticket: Ticket) -> None:
    """Put a stored file on a ticket and into its history."""
    with transaction.atomic():
        locked = lock(ticket)
        if TicketFile.objects.filter(pk=file.pk, ticket=None).update(ticket=locked):
            event(locked, TicketEvent.Type.FILE, None, file.name, file=file.pk, sha256=file.sha256)


def erase(file: TicketFile) -> None:
    """Erase a file's bytes and name; the row stays, to say that there was one. Safe to repeat after a crash."""
    if file.path:
        (settings.FILES_ROOT / file.path).unlink(missing_ok=True)
    TicketFile.objects.filter(pk=file.pk).update(
        state=FileState.ERASED, name="", path="", external_id="", sha256="", size=0
    )


def clean_name(name: str, fallback: str = "file") -> str:
    """Return a name that can be shown and saved anywhere: no folders, no control characters, of bounded length."""
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(character for character in plain if unicodedata.category(character)[0] != "C")
    stem, dot, suffix = plain.strip(" .").rpartition(".")
    if not dot:
        return plain.strip(" .")[:MAX_NAME] or fallback
    return f"{stem[:MAX_NAME]}.{suffix[:10]}"


def _checked(file: TicketFile, data: bytes) -> str:
    if len(data) > settings.FILES_MAX_MB * 1024 * 1024:
        raise FileRefused("file_too_large")
    kind = filetype.guess_mime(data) or ""
    if kind not in TYPES:
        raise FileRefused("file_type")
    others = TicketFile.objects.filter(conversation=file.conversation, state=FileState.STORED).exclude(pk=file.pk)
    if others.filter(ticket=ticket_of(file.conversation) if file.conversation else None).count() >= MAX_FILES:
        raise FileRefused("file_too_many")
    return kind


def _write(path: Path, data: bytes) -> None:
    """Write all or nothing: a crash leaves a nameless temporary file, never half a letter under a good name."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
