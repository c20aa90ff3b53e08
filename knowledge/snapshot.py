"""Index snapshots: immutable folders that are built aside, checked, and switched to in one step.

A snapshot is `REVISION-DIGEST/` with `vectors.npy` (n × dimension, float32, unit length), `passages.jsonl` and
`manifest.json` (model, counts, revision, SHA-256 of each file). `CURRENT` names the one to load. The lexical index
and FAISS's own structure are made from these in memory: they take milliseconds at this size.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.embedder import Embedder
from knowledge.errors import SnapshotError
from knowledge.passages import Passage

FORMAT = 1
FILES = ("vectors.npy", "passages.jsonl")
KEPT = 3
CHUNK = 256
Progress = Callable[[int, int], None]
REMEDY = "Run `manage.py build_index` to build a new one from the database."


@dataclass(frozen=True)
class Snapshot:
    """A loaded snapshot: `vectors[i]` (unit length) belongs to `passages[i]`."""

    revision: int
    model: str
    passages: tuple[Passage, ...]
    vectors: npt.NDArray[np.float32]

    def by_digest(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the vectors by what they were made from: a passage that has not changed needs no encoding."""
        return {passage.digest: vector for passage, vector in zip(self.passages, self.vectors, strict=True)}


def encode(
    passages: Sequence[Passage], embedder: Embedder, known: Snapshot | None, progress: Progress | None = None
) -> npt.NDArray[np.float32]:
    """Return one vector a passage, shape (n, dimension); only texts without a known vector are encoded.

    `progress` is told (done, of how many) after every chunk.
    """
    have = known.by_digest() if known is not None and known.model == embedder.name else {}
    missing = list({p.digest: p.text for p in passages if p.digest not in have}.items())
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        fresh = embedder.embed_passages([text for _, text in chunk])
        have |= {digest: vector for (digest, _), vector in zip(chunk, fresh, strict=True)}
        if progress:
            progress(start + len(chunk), len(missing))
    if not passages:
        return np.zeros((0, embedder.dimension), np.float32)
    return np.stack([have[passage.digest] for passage in passages]).astype(np.float32)


def write(
    folder: Path, passages: Sequence[Passage], vectors: npt.NDArray[np.float32], model: str, revision: int
) -> Path:
    """Write a snapshot aside, make it whole on disk, then switch to it; return its folder.

    Killed at any moment, it leaves the old snapshot current. Raises OSError (disk full) with nothing switched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
    try:
        with (aside / "vectors.npy").open("wb") as file:
            np.save(file, vectors)
        with (aside / "passages.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(passage.as_json(), ensure_ascii=False) + "\n" for passage in passages)
        digests = {name: _sha256(aside / name) for name in FILES}
        manifest = {
            "format": FORMAT, "model": model, "revision": revision, "passages": len(passages),
            "dimension": int(vectors.shape[1]), "sha256": digests,
        }
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        for name in (*FILES, "manifest.json"):
            _sync(aside / name)
        digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:12]
        target = folder / f"{revision:010d}-{digest}"
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


def current_revision(folder: Path) -> int | None:
    """Return the revision that the current snapshot claims, unchecked; None when there is none."""
    try:
        return int((folder / "CURRENT").read_text(encoding="utf-8").split("-")[0])
    except (OSError, ValueError):
        return None


def load_current(folder: Path, model: str) -> Snapshot | None:
    """Return the current snapshot, None when there is none yet; raises SnapshotError for one that is not right."""
    try:
        name = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return load(folder / name, model)


def load(path: Path, model: str) -> Snapshot:
    """Return the snapshot in a folder, every file checked against the manifest; raises SnapshotError."""
    manifest = _manifest(path)
    if manifest.get("format") != FORMAT:
        raise SnapshotError(f"{path.name} has format {manifest.get('format')}, this program reads {FORMAT}. {REMEDY}")
    if manifest["model"] != model:
        raise SnapshotError(f"{path.name} was built with {manifest['model']!r}, but the model is {model!r}. {REMEDY}")
    for name, digest in manifest["sha256"].items():
        try:
            found = _sha256(path / name)
        except OSError as error:
            raise SnapshotError(f"{path.name}/{name} cannot be read ({error.strerror}). {REMEDY}") from error
        if found != digest:
            raise SnapshotError(f"{path.name}/{name} is damaged: its checksum is not the manifest's. {REMEDY}")
    vectors = np.load(path / "vectors.npy", allow_pickle=False)
    with (path / "passages.jsonl").open(encoding="utf-8") as file:
        passages = tuple(Passage(**json.loads(line)) for line in file)
    if len(passages) != len(vectors) or len(passages) != manifest["passages"]:
        raise SnapshotError(f"{path.name} holds {len(passages)} passages and {len(vectors)} vectors. {REMEDY}")
    return Snapshot(manifest["revision"], manifest["model"], passages, vectors)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{path.name}/manifest.json cannot be read ({error}). {REMEDY}") from error
    if not isinstance(manifest, dict) or not {"format", "model", "revision", "passages", "sha256"} <= manifest.keys():
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
