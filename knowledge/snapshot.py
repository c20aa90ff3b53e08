"""Index snapshots: immutable folders that are built aside, checked, and switched to in one step.

A snapshot is `REVISION-DIGEST/` with `vectors.npy` (n × dimension, float32, unit length), the passages' tokens
(knowledge.late), `passages.jsonl` and `manifest.json` (model, counts, revision, SHA-256 of each file). `CURRENT` names
the one to load. The lexical index and that of the vectors are made from these in memory: milliseconds up to 50,000
passages (docs/scale.md for more).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.embedder import Embedder
from knowledge.errors import SnapshotError
from knowledge.geometry import PLAIN, Geometry
from knowledge.late import Tokens, quantise
from knowledge.passages import Passage

FORMAT = 2
ARRAYS = ("vectors", "token_vectors", "token_ids", "token_counts")
FILES = (*(f"{name}.npy" for name in ARRAYS), "passages.jsonl")
KEPT = 3
# Seconds after which what a killed build left is removed; a living one takes some seconds.
ABANDONED = 3600.0
CHUNK = 256
_MANIFEST = {"format", "model", "revision", "passages", "sha256"}
Progress = Callable[[int, int], None]
REMEDY = "Run `manage.py build_index` to build a new one from the database."


Piece = tuple[npt.NDArray[np.float32], npt.NDArray[np.int8], npt.NDArray[np.int32]]
Key = tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A loaded snapshot: `vectors[i]` (unit length) and the i-th tokens belong to `passages[i]`.

    `geometry` is the digest of the numbers that the tokens were shortened with.
    """

    revision: int
    model: str
    passages: tuple[Passage, ...]
    vectors: npt.NDArray[np.float32]
    tokens: Tokens
    geometry: str = PLAIN.digest

    def by_text(self) -> dict[Key, Piece]:
        """Return what was encoded by what it was made from: a passage that has not changed needs no encoding."""
        starts = self.tokens.starts
        return {
            _key(passage): (vector, *self.tokens.text(number, starts))
            for number, (passage, vector) in enumerate(zip(self.passages, self.vectors, strict=True))
        }


def encode(
    passages: Sequence[Passage],
    embedder: Embedder,
    known: Snapshot | None,
    geometry: Geometry = PLAIN,
    progress: Progress | None = None,
) -> tuple[npt.NDArray[np.float32], Tokens]:
    """Return one vector a passage, shape (n, dimension), and the tokens; only texts not known yet are encoded.

    `progress` is told (done, of how many) after every chunk.
    """
    usable = known is not None and (known.model, known.geometry) == (embedder.name, geometry.digest)
    have = known.by_text() if known is not None and usable else {}
    missing = list({_key(each): each for each in passages if _key(each) not in have}.items())
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        fresh = embedder.encode_passages([each.text for _, each in chunk])
        for (key, each), encoded in zip(chunk, fresh, strict=True):
            shortened = geometry.passage_token_rows(encoded.tokens, each.language)
            have[key] = encoded.vector, quantise(shortened), encoded.ids
        if progress:
            progress(start + len(chunk), len(missing))
    pieces = [have[_key(each)] for each in passages]
    kept = embedder.dimension if geometry.tokens is None else geometry.tokens.shape[1]
    tokens = Tokens.of([(vectors, ids) for _, vectors, ids in pieces], kept)
    if not pieces:
        return np.zeros((0, embedder.dimension), np.float32), tokens
    return np.stack([vector for vector, _, _ in pieces]).astype(np.float32), tokens


def _key(passage: Passage) -> Key:
    # The same words in two languages are two texts: tokens lose the mean of their language.
    return passage.language, passage.text


def write(folder: Path, snapshot: Snapshot) -> Path:
    """Write a snapshot aside, make it whole on disk, then switch to it; return its folder.

    Killed at any moment, it leaves the old snapshot current. Raises OSError (disk full) with nothing switched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
    try:
        tokens = snapshot.tokens
        for name, array in zip(
            ARRAYS, (snapshot.vectors, tokens.vectors, tokens.ids, tokens.counts), strict=True
        ):
            with (aside / f"{name}.npy").open("wb") as file:
                np.save(file, array)
        with (aside / "passages.jsonl").open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(each.as_json(), ensure_ascii=False) + "\n" for each in snapshot.passages)
        digests = {name: _sha256(aside / name) for name in FILES}
        manifest = {
            "format": FORMAT, "model": snapshot.model, "geometry": snapshot.geometry, "revision": snapshot.revision,
            "passages": len(snapshot.passages), "dimension": int(snapshot.vectors.shape[1]), "sha256": digests,
        }
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        for name in (*FILES, "manifest.json"):
            _sync(aside / name)
        digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]
        target = folder / f"{snapshot.revision:010d}-{digest}"
        if target.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _switch(folder, target.name)
    _prune(folder, target.name)
    return target


def _switch(folder: Path, name: str) -> None:
    pointer = folder / f".CURRENT-{os.getpid()}"
    pointer.write_text(name, encoding="utf-8")
    _sync(pointer)
    pointer.replace(folder / "CURRENT")
    _sync(folder)


def _prune(folder: Path, current: str) -> None:
    names = sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    for name in [name for name in names if name != current][: -(KEPT - 1)]:
        shutil.rmtree(folder / name, ignore_errors=True)
    for left in folder.glob(".building-*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def current_revision(folder: Path) -> int | None:
    """Return the revision that the current snapshot claims, unchecked; None when there is none."""
    try:
        return int((folder / "CURRENT").read_text(encoding="utf-8").split("-")[0])
    except (OSError, ValueError):
        return None


def current_model(folder: Path) -> str | None:
    """Return the name of the model that the current snapshot was made with; None when there is none, or none whole."""
    try:
        return str(_manifest(folder / (folder / "CURRENT").read_text(encoding="utf-8").strip())["model"])
    except (OSError, SnapshotError, KeyError):
        return None


def load_current(folder: Path, model: str, geometry: str = PLAIN.digest) -> Snapshot | None:
    """Return the current snapshot, None when there is none yet; raises SnapshotError for one that is not right."""
    try:
        name = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return load(folder / name, model, geometry)


def load(path: Path, model: str, geometry: str = PLAIN.digest) -> Snapshot:
    """Return the snapshot in a folder, every file checked against the manifest; raises SnapshotError."""
    manifest = _manifest(path)
    if manifest.get("format") != FORMAT:
        raise SnapshotError(f"{path.name} has format {manifest.get('format')}, this program reads {FORMAT}. {REMEDY}")
    if manifest["model"] != model:
        raise SnapshotError(f"{path.name} was built with {manifest['model']!r}, but the model is {model!r}. {REMEDY}")
    if manifest.get("geometry") != geometry:
        raise SnapshotError(f"{path.name} was built before the search was calibrated anew. {REMEDY}")
    for name, digest in manifest["sha256"].items():
        try:
            found = _sha256(path / name)
        except OSError as error:
            raise SnapshotError(f"{path.name}/{name} cannot be read ({error.strerror}). {REMEDY}") from error
        if found != digest:
            raise SnapshotError(f"{path.name}/{name} is damaged: its checksum is not the manifest's. {REMEDY}")
    vectors, *tokens = (np.load(path / f"{name}.npy", allow_pickle=False) for name in ARRAYS)
    with (path / "passages.jsonl").open(encoding="utf-8") as file:
        passages = tuple(Passage(**json.loads(line)) for line in file)
    if not len(passages) == len(vectors) == len(tokens[2]) == manifest["passages"]:
        raise SnapshotError(f"{path.name} holds {len(passages)} passages and {len(vectors)} vectors. {REMEDY}")
    return Snapshot(manifest["revision"], manifest["model"], passages, vectors, Tokens(*tokens), geometry)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{path.name}/manifest.json cannot be read ({error}). {REMEDY}") from error
    if not isinstance(manifest, dict) or not manifest.keys() >= _MANIFEST:
        raise SnapshotError(f"{path.name}/manifest.json is not a manifest. {REMEDY}")
    return manifest


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
