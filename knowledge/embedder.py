"""Turns questions and passages into unit vectors of one shared space.

All models load through `SentenceTransformer(folder_or_hub_name)`; the default is the folder that `make model`
builds. Questions and passages have different methods, so that e5's prefixes cannot be mixed up.
"""

from __future__ import annotations

import functools
import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from knowledge.errors import ModelMissing
from knowledge.model import MANIFEST, REMEDY, read_manifest, sha256
from knowledge.model.load import load_onnx_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FloatArray = npt.NDArray[np.float32]
CACHED_QUERIES = 1024
# The e5 models on the hub do not carry the prefixes that they were trained with.
E5_PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
_E5_NAME = re.compile(r"(^|[/_-])e5-(small|base|large)(-v2)?$")
_HUB_NAME = re.compile(r"^[\w.-]+(/[\w.-]+)?$")


class Embedder(Protocol):
    """Turns questions and passages into unit vectors of one shared space."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        ...

    @property
    def name(self) -> str:
        """Model name and start of its fingerprint; vectors of equal names may be compared."""
        ...

    def embed_query(self, question: str) -> FloatArray:
        """Return the question's unit vector, shape (dimension,)."""
        ...

    def embed_passages(self, texts: Sequence[str], *, batch_size: int = 16) -> FloatArray:
        """Return one unit vector a passage, shape (len(texts), dimension)."""
        ...


class SentenceTransformerEmbedder:
    """Embeds with a sentence-transformers model: a folder, or a name on the Hugging Face hub.

    Constructing is free; `warm_up()` loads (otherwise the first use does). It may be shared between threads:
    encoding is serialised, because tokenizers are not thread-safe, and a question waits for one batch of
    passages at most.

    Raises, from every method:
        ModelMissing: there is no such folder, it is incomplete, or the hub does not give the model.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()
        self._encoding = threading.Lock()
        self._queue = threading.Lock()
        self._cached = functools.lru_cache(CACHED_QUERIES)(self._encode_query)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self._load().dimension

    @property
    def name(self) -> str:
        """Model name and start of its fingerprint; vectors of equal names may be compared."""
        return self._load().name

    def warm_up(self) -> None:
        """Load the model and use it once, so that the first question is not the slow one."""
        self._load()
        self._encode_query("?")

    def embed_query(self, question: str) -> FloatArray:
        """Return the question's unit vector, shape (dimension,), read-only; asked again it costs nothing."""
        return self._cached(question)

    def embed_passages(self, texts: Sequence[str], *, batch_size: int = 16) -> FloatArray:
        """Return one unit vector a passage, shape (len(texts), dimension)."""
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1. Currently, batch_size is {batch_size}.")
        loaded = self._load()
        vectors = np.empty((len(texts), loaded.dimension), np.float32)
        # Passages of like length share a batch, so that little is padded.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            with self._turn():
                vectors[batch] = loaded.model.encode_document(
                    [texts[position] for position in batch],
                    batch_size=batch_size,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
        return vectors

    def _encode_query(self, question: str) -> FloatArray:
        loaded = self._load()
        with self._turn():
            vector = loaded.encode_query(question)
        vector.setflags(write=False)  # the cache hands the same array to everybody
        return vector

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the model in turn: who waits holds the queue, so that a loop cannot overtake."""
        with self._queue:
            self._encoding.acquire()
        try:
            yield
        finally:
            self._encoding.release()

    def _load(self) -> _Loaded:
        if self._loaded is None:
            with self._loading:
                if self._loaded is None:
                    self._loaded = _load(self.model)
        return self._loaded


class _Loaded:
    """A loaded model with its identity and its quickest way to encode a question."""

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self.model, self.name = model, name
        dimension = model.get_embedding_dimension()
        assert dimension is not None, f"{name} does not say how long its vectors are"
        self.dimension: int = dimension
        self.encode_query: Callable[[str], FloatArray] = _direct_path(model) or self._encode_query

    def _encode_query(self, question: str) -> FloatArray:
        return self.model.encode_query(question, normalize_embeddings=True, show_progress_bar=False)


def _direct_path(model: SentenceTransformer) -> Callable[[str], FloatArray] | None:
    """Return what `encode_query` does for one text on a mean-pooled ONNX model, a fifth faster.

    Of the 5 ms of `encode_query`, one goes to moving modules, sorting, batching and copying between numpy and
    torch. None for other models.
    """
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    modules = list(model)
    session: Any = getattr(getattr(modules[0], "model", None), "session", None)
    match modules:
        case [_, Pooling() as pooling, Normalize()] if session is not None:
            if pooling.pooling_mode != "mean" or not pooling.include_prompt:
                return None
        case _:
            return None
    tokenizer: Any = model.tokenizer.backend_tokenizer
    tokenizer.enable_truncation(model.max_seq_length)
    prompt = model.prompts.get("query") or ""
    inputs = [node.name for node in session.get_inputs()]

    def encode(question: str) -> FloatArray:
        ids = np.array([tokenizer.encode(prompt + question).ids], np.int64)
        available = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden, *_) = session.run(None, {name: available[name] for name in inputs})
        vector = hidden[0].sum(axis=0)
        return vector / np.linalg.norm(vector)

    return encode


def _load(model: str) -> _Loaded:
    folder = Path(model).expanduser()
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        if sha256(folder / manifest.onnx_file) != manifest.sha256:
            raise ModelMissing(
                f"{folder / manifest.onnx_file} is not the file that {MANIFEST} describes: it is damaged "
                f"or was replaced. {REMEDY}"
            )
        return _Loaded(load_onnx_folder(folder, manifest.onnx_file), manifest.identity)
    if (folder / "modules.json").exists():
        return _Loaded(_open(str(folder), model), f"{folder.name}@{_fingerprint(folder)}")
    # `var/model` looks like a name on the hub; where there is a folder `var`, a path is meant.
    meant_as_path = folder.exists() or (len(folder.parts) > 1 and folder.parent.is_dir())
    if meant_as_path or not _HUB_NAME.match(model):
        read_manifest(folder)  # raises, and says what is missing
    try:
        loaded = _open(model, model)
    except (OSError, ValueError) as error:
        raise ModelMissing(
            f"{model!r} is neither a folder here nor a model that the Hugging Face hub gave ({error}). "
            f"{REMEDY} Or set CITYDESK_MODEL to a model's folder, or to a hub name with the network on."
        ) from error
    return _Loaded(loaded, f"{model}@{_hub_revision(model)}")


def _open(source: str, name: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    opened = SentenceTransformer(source, device="cpu", local_files_only=Path(source).exists())
    if _E5_NAME.search(name) and not any(opened.prompts.values()):
        opened.prompts = dict(E5_PROMPTS)
    return opened


def _fingerprint(folder: Path) -> str:
    """Return 12 hexadecimal digits that change with any file of the model."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}:{content}\n".encode())
    return digest.hexdigest()[:12]


def _hub_revision(model: str) -> str:
    """Return the first 12 digits of the commit that the hub's cache holds, or `unknown`."""
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model, "modules.json") or try_to_load_from_cache(model, "config.json")
    return Path(cached).parent.name[:12] if isinstance(cached, str) else "unknown"
