"""Turns questions and passages into unit vectors of one shared space.

All models load through `SentenceTransformer(folder_or_hub_name)`; the default is the folder that `make model`
builds. Questions and passages have different methods, so that e5's prefixes cannot be mixed up.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
# Questions encoded at a time, each on one thread. They are not put in batches, though four of equal length would take a
# third less: activations are quantised over a whole batch, and who else asks must not change what is answered.
AT_ONCE = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
# The e5 models on the hub do not carry the prefixes that they were trained with.
E5_PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
_E5_NAME = re.compile(r"(^|[/_-])e5-(small|base|large)(-v2)?$")
_HUB_NAME = re.compile(r"^[\w.-]+(/[\w.-]+)?$")


@dataclass(frozen=True)
class Encoded:
    """A text as a model sees it: its unit vector (dimension,), and its tokens' vectors (t, dimension) and ids (t,).

    The tokens are the text's own: neither the prefix nor the marks of beginning and end.
    """

    vector: FloatArray
    tokens: FloatArray
    ids: npt.NDArray[np.int32]


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

    def encode_query(self, question: str) -> Encoded:
        """Return the question's vector and its tokens'."""
        ...

    def encode_passages(self, texts: Sequence[str], *, batch_size: int = 1) -> list[Encoded]:
        """Return every passage's vector and its tokens'."""
        ...


class SentenceTransformerEmbedder:
    """Embeds with a sentence-transformers model: a folder, or a name on the Hugging Face hub.

    Constructing is free; `warm_up()` loads (otherwise the first use does). It may be shared between threads:
    AT_ONCE questions are encoded at a time, and `passages_at_once` batches of passages beside them. A process that
    answers questions meanwhile gives one.

    Raises, from every method:
        ModelMissing: there is no such folder, it is incomplete, or the hub does not give the model.
    """

    def __init__(self, model: str, *, passages_at_once: int = AT_ONCE) -> None:
        self.model = model
        self.passages_at_once = passages_at_once
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()
        self._questions = threading.Semaphore(AT_ONCE)
        self._passages = threading.Semaphore(passages_at_once)
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

    def encode_query(self, question: str) -> Encoded:
        """Return the question's vector and its tokens', read-only; asked again it costs nothing."""
        return self._cached(question)

    def embed_query(self, question: str) -> FloatArray:
        """Return the question's unit vector alone, shape (dimension,)."""
        return self.encode_query(question).vector

    def encode_passages(self, texts: Sequence[str], *, batch_size: int = 1) -> list[Encoded]:
        """Return every passage's vector and its tokens'.

        Batches of one are as quick on a CPU, and a quantised model's vectors then do not depend on what else is in the
        batch: they move by 0.003 (cosine) with it, as much as often lies between two entries.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1. Currently, batch_size is {batch_size}.")
        loaded = self._load()
        # Passages of like length share a batch, so that little is padded.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

        def encode(batch: list[int]) -> list[Encoded]:
            with self._passages:
                if len(batch) == 1:
                    return [loaded.encode_passage(texts[batch[0]])]
                return loaded.encode([texts[position] for position in batch], "document")

        encoded: dict[int, Encoded] = {}
        with ThreadPoolExecutor(self.passages_at_once) as pool:
            for batch, found in zip(batches, pool.map(encode, batches), strict=True):
                encoded |= zip(batch, found, strict=True)
        return [encoded[position] for position in range(len(texts))]

    def embed_passages(self, texts: Sequence[str], *, batch_size: int = 1) -> FloatArray:
        """Return one unit vector a passage alone, shape (len(texts), dimension)."""
        vectors = [each.vector for each in self.encode_passages(texts, batch_size=batch_size)]
        return np.stack(vectors) if vectors else np.empty((0, self.dimension), np.float32)

    def _encode_query(self, question: str) -> Encoded:
        loaded = self._load()
        with self._questions:
            encoded = loaded.encode_query(question)
        for array in (encoded.vector, encoded.tokens, encoded.ids):
            array.setflags(write=False)  # the cache hands the same arrays to everybody
        return encoded

    def _load(self) -> _Loaded:
        if self._loaded is None:
            with self._loading:
                if self._loaded is None:
                    self._loaded = _load(self.model)
        return self._loaded


class _Loaded:
    """A loaded model with its identity and its quickest ways to encode one text."""

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self.model, self.name = model, name
        # Tokenizers are not thread-safe: how they cut and pad is a setting of theirs. The models are.
        self._tokenizing = threading.Lock()
        dimension = model.get_embedding_dimension()
        assert dimension is not None, f"{name} does not say how long its vectors are"
        self.dimension: int = dimension
        self.encode_query = self._one("query")
        self.encode_passage = self._one("document")

    def _one(self, task: str) -> Callable[[str], Encoded]:
        direct = _direct_path(self.model, task, self._tokenizing)
        return direct or (lambda text: self.encode([text], task)[0])

    def encode(self, texts: Sequence[str], task: str) -> list[Encoded]:
        """Return some texts' vectors, encoded as the `query` or the `document` that they are."""
        import torch

        # What `encode` does for one batch: it gives vectors or tokens, and both are wanted.
        prompt = self.model.prompts.get(task) or ""
        with self._tokenizing:
            features = self.model.preprocess(list(texts), prompt=prompt or None)
        with torch.inference_mode():
            found = self.model(features)
        vectors = torch.nn.functional.normalize(found["sentence_embedding"].float(), dim=1).numpy()
        if "token_embeddings" not in found:  # a model without tokens (static word vectors): whole texts alone compare
            return [Encoded(vector, *_no_tokens(self.dimension)) for vector in vectors]
        with self._tokenizing:
            own = _own_tokens(self.model.tokenizer.backend_tokenizer, prompt)
        encoded = []
        for vector, tokens, ids, mask in zip(
            vectors, found["token_embeddings"], found["input_ids"], found["attention_mask"], strict=True
        ):
            kept = mask.bool()
            encoded.append(
                Encoded(vector, tokens[kept].float().numpy()[own], ids[kept].numpy().astype(np.int32)[own])
            )
        return encoded


def _no_tokens(dimension: int) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    return np.zeros((0, dimension), np.float32), np.zeros(0, np.int32)


def _own_tokens(tokenizer: Any, prompt: str) -> slice:
    """Return which tokens are the text's own: after the mark of beginning and the prompt, before that of the end."""
    first = len(tokenizer.encode("", add_special_tokens=True).ids) - 1
    # The space at a prompt's end belongs to the text's first token.
    return slice(first + len(tokenizer.encode(prompt.rstrip(), add_special_tokens=False).ids), -1)


def _direct_path(
    model: SentenceTransformer, task: str, tokenizing: threading.Lock
) -> Callable[[str], Encoded] | None:
    """Return what `encode` does for one text on a mean-pooled ONNX model, a fifth faster.

    Of the 5 ms that a question takes, one goes to moving modules, sorting, batching and copying between numpy and
    torch, most of it under Python's lock, where a second thread waits. None for other models.
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
    prompt = model.prompts.get(task) or ""
    inputs = [node.name for node in session.get_inputs()]
    own = _own_tokens(tokenizer, prompt)

    def encode(text: str) -> Encoded:
        with tokenizing:
            ids = np.array([tokenizer.encode(prompt + text).ids], np.int64)
        available = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden, *_) = session.run(None, {name: available[name] for name in inputs})
        vector = hidden[0].sum(axis=0)
        return Encoded(vector / np.linalg.norm(vector), hidden[0][own], ids[0].astype(np.int32)[own])

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
