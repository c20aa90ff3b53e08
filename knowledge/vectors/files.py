"""A built index as files of a snapshot folder, so that a service that starts need not build it again.

`vectors.ivf` is FAISS's own format; `vectors.ivf.json` beside it says what it was made of. FAISS does not survive every
damaged file it is given (a wrong length makes it ask for any amount of memory), so the checksum is compared first.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from knowledge.errors import SnapshotError
from knowledge.vectors.base import FloatArray, VectorIndex
from knowledge.vectors.faiss_index import FlatIndex, IvfIndex

FORMAT = 1
INDEX, ABOUT = "vectors.ivf", "vectors.ivf.json"
REMEDY = "Run `manage.py build_index` to build a new one from the database."
_SAMPLED = 1000


def save(index: VectorIndex, folder: Path) -> list[str]:
    """Write what loading an index needs beside its vectors; return the names of the files, none for an exact one.

    Raises OSError (disk full); the caller writes into a folder that nobody reads yet.
    """
    if not isinstance(index, IvfIndex):
        return []
    try:
        faiss.write_index(index.index, str(folder / INDEX))
    except RuntimeError as error:
        raise OSError(f"{folder.name}/{INDEX} could not be written: {_reason(error)}") from error
    about = {
        "format": FORMAT, "kind": index.kind, "count": len(index), "dimension": index.index.d,
        "vectors": fingerprint(index.vectors), "sha256": _sha256(folder / INDEX),
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2), encoding="utf-8")
    return [INDEX, ABOUT]


def load(vectors: FloatArray, folder: Path) -> VectorIndex:
    """Return the index of a snapshot folder's vectors; without files of an index, an exact one.

    Raises:
        SnapshotError: the files are incomplete, damaged or of other vectors; says which, and what to run.
        ValueError: the vectors are not float32 of shape (n, dimension) and unit length.
    """
    if not (folder / ABOUT).exists() and not (folder / INDEX).exists():
        return FlatIndex(vectors)
    about, name = _about(folder), f"{folder.name}/{INDEX}"
    try:
        found = _sha256(folder / INDEX)
    except OSError as error:
        raise SnapshotError(f"{name} cannot be read ({error.strerror}). {REMEDY}") from error
    if found != about["sha256"]:
        raise SnapshotError(f"{name} is damaged: its checksum is not the one in {ABOUT}. {REMEDY}")
    if [about["count"], about["dimension"]] != list(vectors.shape) or about["vectors"] != fingerprint(vectors):
        raise SnapshotError(
            f"{name} was made of other vectors: {about['count']} × {about['dimension']}, where the snapshot holds "
            f"{' × '.join(map(str, vectors.shape))}, or their values differ. {REMEDY}"
        )
    try:
        return IvfIndex(vectors, faiss.read_index(str(folder / INDEX)))
    except (RuntimeError, MemoryError, AttributeError, ValueError) as error:
        raise SnapshotError(f"{name} is no index that this FAISS reads ({_reason(error)}). {REMEDY}") from error


def fingerprint(vectors: FloatArray) -> str:
    """Return what tells sets of vectors apart: the start of the SHA-256 of a thousand rows spread over them."""
    rows = np.unique(np.linspace(0, len(vectors) - 1, min(len(vectors), _SAMPLED)).astype(np.int64))
    return hashlib.sha256(np.ascontiguousarray(vectors[rows]).tobytes()).hexdigest()[:16]


def _about(folder: Path) -> dict[str, Any]:
    name = f"{folder.name}/{ABOUT}"
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{name} cannot be read ({error}). {REMEDY}") from error
    if not isinstance(about, dict) or not {"format", "count", "dimension", "vectors", "sha256"} <= about.keys():
        raise SnapshotError(f"{name} does not describe an index. {REMEDY}")
    if about["format"] != FORMAT:
        raise SnapshotError(f"{name} has format {about['format']}, this program reads {FORMAT}. {REMEDY}")
    return about


def _reason(error: BaseException) -> str:
    """Return the last line of FAISS's message: the first name its source files."""
    return str(error).strip().rpartition("\n")[2][-200:] or type(error).__name__


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
