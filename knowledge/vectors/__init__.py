"""Finding the nearest vectors: exact in this process, approximate above a size, or in a Milvus server.

All of them are a `VectorIndex`; which one serves is decided by `open_index`. When to move on, and how: docs/scale.md.
"""

from __future__ import annotations

from pathlib import Path

from knowledge.vectors.base import EXACT_UP_TO, KINDS, FloatArray, IntArray, VectorIndex, chosen
from knowledge.vectors.faiss_index import FlatIndex, IvfIndex
from knowledge.vectors.files import load, save

__all__ = ["EXACT_UP_TO", "KINDS", "FloatArray", "IntArray", "VectorIndex", "build", "load", "open_index", "save"]


def build(vectors: FloatArray, *, kind: str = "auto", threads: int | None = None) -> VectorIndex:
    """Return an index of unit vectors, float32 of shape (n, dimension), with row numbers as ids.

    `kind` is `flat` (exact), `ivf` (approximate, 8-bit codes), or `auto`: exact up to EXACT_UP_TO vectors. Building
    uses all cores unless `threads` says how many. Raises ValueError for another kind and for vectors not in form.
    """
    return FlatIndex(vectors) if chosen(kind, len(vectors)) == "flat" else IvfIndex.build(vectors, using=threads)


def open_index(vectors: FloatArray, folder: Path | None = None, *, milvus: str = "", token: str = "") -> VectorIndex:
    """Return the index that serves a snapshot's vectors.

    With `milvus` (a server's address, or a file ending in `.db` for Milvus Lite) it is the server's collection named
    after the snapshot's folder, filled first if it is not complete. Otherwise it is what `save` left in the folder;
    without a folder it is built here.

    Raises:
        SnapshotError: the folder's index is damaged or of other vectors.
        VectorServerError: pymilvus is missing, or the server does not answer.
        ValueError: the vectors are not in form, or `milvus` is given without a folder.
    """
    if milvus:
        if folder is None:
            raise ValueError("a Milvus collection is named after its snapshot's folder. Currently, there is no folder.")
        from knowledge.vectors.milvus_index import MilvusIndex, collection_name

        return MilvusIndex.publish(milvus, collection_name(folder.name), vectors, token=token)
    return build(vectors) if folder is None else load(vectors, folder)
