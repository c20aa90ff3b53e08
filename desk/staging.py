"""Files that a colleague brings for the knowledge base: checked by what they are, kept aside until confirmed or a day.

They lie under a name of chance below `EXCHANGE_ROOT`, are read by us only, and are never handed out.
"""

from __future__ import annotations

import io
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from django.conf import settings

from desk.files import clean_name
from knowledge.exchange.errors import FileError

KEPT_SECONDS = 24 * 3600
# What a file must hold to be what its name says; the two office formats are zip archives.
INSIDE = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}
KINDS = {"xlsx": "xlsx", "csv": "csv", "docx": "docx", "html": "html", "htm": "html"}
# Unpacked: more than any table of ours, less than fills the memory.
MAX_UNPACKED = 200 * 1024 * 1024
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Staged:
    """A file that waits for its confirmation."""

    kind: str
    name: str
    data: bytes
    options: dict[str, str]


def keep(name: str, data: bytes, options: dict[str, str]) -> str:
    """Check a file and keep it with what was chosen for it; return its token. Raises FileError saying what to do."""
    kind = _checked(name, data)
    tidy_up()
    token = secrets.token_hex(16)
    lines = [clean_name(name), *(f"{key}={value}" for key, value in options.items())]
    settings.EXCHANGE_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    (settings.EXCHANGE_ROOT / f"{token}.{kind}").write_bytes(data)
    (settings.EXCHANGE_ROOT / f"{token}.txt").write_text("\n".join(lines), encoding="utf-8")
    return token


def find(token: str) -> Staged | None:
    """Return a file that is kept; None for one that was confirmed, is too old, or never was."""
    if not _TOKEN.fullmatch(token):
        return None
    for kind in dict.fromkeys(KINDS.values()):
        try:
            data = (settings.EXCHANGE_ROOT / f"{token}.{kind}").read_bytes()
            name, *lines = (settings.EXCHANGE_ROOT / f"{token}.txt").read_text("utf-8").split("\n")
        except OSError:
            continue
        return Staged(kind, name, data, dict(line.split("=", 1) for line in lines))
    return None


def drop(token: str) -> None:
    """Remove a kept file. Safe to repeat."""
    if _TOKEN.fullmatch(token):
        for file in settings.EXCHANGE_ROOT.glob(f"{token}.*"):
            file.unlink(missing_ok=True)


def tidy_up() -> None:
    """Remove what nobody confirmed within a day."""
    for file in settings.EXCHANGE_ROOT.glob("*.*"):
        try:
            if file.stat().st_mtime < time.time() - KEPT_SECONDS:
                file.unlink(missing_ok=True)
        except OSError:
            continue  # another process was faster


def _checked(name: str, data: bytes) -> str:
    if len(data) > settings.FILES_MAX_MB * 1024 * 1024:
        raise FileError(
            f"Tệp lớn hơn {settings.FILES_MAX_MB} MB; hãy chia ra. / "
            f"The file is larger than {settings.FILES_MAX_MB} MB; divide it."
        )
    kind = KINDS.get(Path(name).suffix.lower().lstrip("."))
    right = kind is not None and (
        _archive(data, INSIDE[kind]) if kind in INSIDE else b"\0" not in data[:4096] or _utf16(data)
    )
    if kind is None or not right:
        raise FileError(
            "Chỉ nhận tệp XLSX, CSV, DOCX hoặc trang web lưu dạng HTML, không có macro; hãy lưu lại đúng dạng. / "
            "Only XLSX, CSV, DOCX and web pages saved as HTML are taken, without macros; save the file as one of these."
        )
    return kind


def _utf16(data: bytes) -> bool:
    return data[:2] in (b"\xff\xfe", b"\xfe\xff")


def _archive(data: bytes, part: str) -> bool:
    """Tell whether this is an office file with the part that makes it one, of bounded size and without programs."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (BadZipFile, OSError, ValueError):
        return False
    names = {each.filename for each in parts}
    return (
        part in names
        and not any(Path(each).name == "vbaProject.bin" for each in names)
        and sum(each.file_size for each in parts) <= MAX_UNPACKED
    )
