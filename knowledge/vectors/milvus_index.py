"""The same search in Milvus: a server, or a file of Milvus Lite (which takes the same client calls; the tests use it).

A snapshot is a collection, `citydesk_REVISION_DIGEST`, filled once and then only read. Row numbers are its primary
keys, so filling it again (after a crash, or from two services at once) changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge.errors import VectorServerError
from knowledge.vectors.base import (
    FloatArray,
    IntArray,
    best_first,
    check_query,
    check_vectors,
    chosen,
    nothing,
    rescored,
)
from knowledge.vectors.faiss_index import candidates_for, lists_for, probes_for
from knowledge.vectors.files import fingerprint

if TYPE_CHECKING:
    from pymilvus import MilvusClient

PREFIX = "citydesk_"
KEPT = 2
# The server's own limit on the hits of one search.
MOST = 16_384
_BATCH = 1000
_ALL_LISTS = 65_536
_NAME = re.compile(r"citydesk_\d{10}_[0-9a-f]{12}")
_SECONDS = 5.0
_SECONDS_TO_FILL = 600.0


def collection_name(snapshot: str) -> str:
    """Return the collection of a snapshot folder named REVISION-DIGEST; raises ValueError for another name."""
    name = PREFIX + snapshot.replace("-", "_")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"a snapshot is named REVISION-DIGEST (0000000412-5b6bae252cf7). Currently, its name is {snapshot!r}."
        )
    return name


def shown(uri: str) -> str:
    """Return an address without the user and password it may hold, for messages."""
    return re.sub(r"//[^@]*@", "//", uri)


class MilvusIndex:
    """A filled collection of a Milvus server (`http://host:19530`) or of a Milvus Lite file (`folder/name.db`).

    With `vectors` (they may be memory-mapped) the server's candidates are scored again by them; without, the cosines
    are the server's: exact for a `flat` collection, to 0.0005 for an `ivf` one.

    Raises, from every method:
        VectorServerError: pymilvus is missing, the server does not answer within `seconds`, or it has no such
            collection.
    """

    def __init__(
        self, uri: str, collection: str, *, token: str = "", vectors: FloatArray | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self.collection = collection
        self._vectors, self._seconds = vectors, seconds
        self._client = _connect(uri, token, seconds)
        self._uri = uri = shown(uri)
        with _translated(uri, f"opening {collection}"):
            if not self._client.has_collection(collection, timeout=seconds):
                raise VectorServerError(f"Milvus at {uri} has no collection {collection}. Publish the snapshot to it.")
            self._client.load_collection(collection, timeout=_SECONDS_TO_FILL)
            fields = self._client.describe_collection(collection, timeout=seconds)["fields"]
            self._dimension = int(next(each["params"]["dim"] for each in fields if each["name"] == "vector"))
            self._count = _rows(self._client, collection, seconds)
            settings = self._client.describe_index(collection, "vector", timeout=seconds) or {}
        if vectors is not None and vectors.shape != (self._count, self._dimension):
            raise VectorServerError(
                f"{collection} at {uri} holds {self._count} × {self._dimension}, but the snapshot "
                f"{' × '.join(map(str, vectors.shape))}. Publish the snapshot to it."
            )
        # Milvus Lite neither takes nor tells the number of lists (pymilvus 3 sends it in another form): all are read.
        lists = int(settings.get("nlist", 0))
        self._parameters = {"nprobe": probes_for(lists, self._count) if lists else _ALL_LISTS}

    @classmethod
    def publish(
        cls, uri: str, collection: str, vectors: FloatArray, *, token: str = "", kind: str = "auto",
        seconds: float = _SECONDS,
    ) -> MilvusIndex:
        """Return the collection of these vectors, made and filled if it is not there whole; drop those long replaced.

        `kind` is as for `knowledge.vectors.build`. The collection before it stays: other services may still read it.
        Raises ValueError for vectors not in form, VectorServerError.
        """
        count, dimension = check_vectors(vectors).shape
        client = _connect(uri, token, seconds)
        with _translated(shown(uri), f"filling {collection}"):
            mark = fingerprint(vectors)
            if client.has_collection(collection, timeout=seconds):
                found = client.describe_collection(collection, timeout=seconds)["description"]
                if found != mark:  # somebody else's of the same name, or of a desk that was set up anew
                    client.drop_collection(collection, timeout=_SECONDS_TO_FILL)
            if not client.has_collection(collection, timeout=seconds):
                _create(client, collection, dimension, mark, chosen(kind, count), count)
            client.load_collection(collection, timeout=_SECONDS_TO_FILL)
            if _rows(client, collection, _SECONDS_TO_FILL) != count:
                _fill(client, collection, vectors)
            if (held := _rows(client, collection, _SECONDS_TO_FILL)) != count:
                raise VectorServerError(
                    f"{collection} at {shown(uri)} holds {held} of {count} vectors after filling it. Publish again."
                )
            _prune(client, collection)
        client.close()
        return cls(uri, collection, token=token, vectors=vectors, seconds=seconds)

    def __len__(self) -> int:
        """Return how many vectors the collection holds."""
        return self._count

    def search(self, query: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
        """Return (row numbers, cosines) of the nearest, best first; see VectorIndex.

        Raises ValueError also for more hits than Milvus gives at once (16,384).
        """
        query = check_query(query, count, self._dimension)
        count = min(count, self._count)
        if not count:
            return nothing()
        if count > MOST:
            raise ValueError(f"count must be at most {MOST} with Milvus. Currently, count is {count}.")
        wanted = count if self._vectors is None else min(candidates_for(count), self._count, MOST)
        with _translated(self._uri, f"searching {self.collection}"):
            # Nothing is written to a published collection: no need to wait for the server's clock.
            (found,) = self._client.search(
                self.collection, [query.tolist()], anns_field="vector", limit=wanted, output_fields=["row"],
                search_params={"metric_type": "IP", "params": self._parameters}, timeout=self._seconds,
                consistency_level="Eventually",
            )
        rows = np.array([hit["row"] for hit in found], np.int64)
        if self._vectors is not None:
            return rescored(self._vectors, query, rows, count)
        return best_first(rows, np.array([hit["distance"] for hit in found], np.float32), count)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _connect(uri: str, token: str, seconds: float) -> MilvusClient:
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise VectorServerError(
            "Milvus needs its client, which is not installed. Run `pip install -c constraints/app.txt -e '.[milvus]'`."
        ) from error
    with _translated(shown(uri), "connecting"):
        return MilvusClient(uri, token=token, timeout=seconds)


@contextmanager
def _translated(uri: str, doing: str) -> Iterator[None]:
    """Turn what pymilvus and gRPC raise into one error that says where and what to do."""
    from grpc import RpcError
    from pymilvus import MilvusException

    try:
        yield
    except (MilvusException, RpcError) as error:
        reason = str(getattr(error, "message", "") or error)[:300]
        raise VectorServerError(
            f"Milvus at {uri} failed while {doing}: {reason}. Check that it runs and can be reached; without Milvus "
            "configured, the snapshot's own index serves."
        ) from error


def _create(client: MilvusClient, name: str, dimension: int, mark: str, kind: str, count: int) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False, enable_dynamic_field=False, description=mark)
    schema.add_field("row", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    settings: dict[str, Any] = {"index_type": "FLAT"}
    if kind == "ivf":
        settings = {"index_type": "IVF_SQ8", "params": {"nlist": lists_for(count)}}
    index = client.prepare_index_params()
    index.add_index("vector", index_name="vector", metric_type="IP", **settings)
    client.create_collection(name, schema=schema, index_params=index, timeout=_SECONDS_TO_FILL)


def _fill(client: MilvusClient, name: str, vectors: FloatArray) -> None:
    for start in range(0, len(vectors), _BATCH):
        chunk = np.asarray(vectors[start : start + _BATCH])
        rows = [{"row": start + number, "vector": vector} for number, vector in enumerate(chunk)]
        client.upsert(name, rows, timeout=_SECONDS_TO_FILL)
    client.flush(name, timeout=_SECONDS_TO_FILL)


def _rows(client: MilvusClient, name: str, seconds: float) -> int:
    """Return the exact number of rows, after everything written so far."""
    (row,) = client.query(name, output_fields=["count(*)"], consistency_level="Strong", timeout=seconds)
    return int(row["count(*)"])


def _prune(client: MilvusClient, current: str) -> None:
    """Drop the collections before the current one, but the last; those after it belong to a service that is ahead."""
    names = sorted(name for name in client.list_collections() if _NAME.fullmatch(name))
    for name in [name for name in names if name < current][: -(KEPT - 1)]:
        client.drop_collection(name, timeout=_SECONDS_TO_FILL)

