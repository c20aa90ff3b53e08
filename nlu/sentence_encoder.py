"""Sentence vectors inside Rasa, whose environment has neither torch nor sentence-transformers.

Runs the ONNX file and the tokenizer of the model folder that `make model` built; the vectors are those of
`knowledge.embedder`, so that one model serves understanding and search. Works on Python 3.10 and newer.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# From 1.29 on, onnxruntime reports its use to its maker unless this is set before it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402

MANIFEST = "citydesk_model.json"
BATCH_SIZE = 16
FloatArray = npt.NDArray[np.float32]


class SentenceEncoderError(Exception):
    """The model folder is missing or cannot be used."""


class SentenceEncoder:
    """Turns texts into unit vectors with the model in `folder`, on one thread.

    Safe to share between threads: one batch is encoded at a time, because tokenizers are not thread-safe.

    Raises:
        SentenceEncoderError: `folder` is not a complete model folder.
    """

    def __init__(self, folder: Path | str) -> None:
        folder = Path(folder)
        manifest = _read_manifest(folder)
        self.dimension: int = manifest["dimension"]
        self.name: str = f"{manifest['name']}@{manifest['sha256'][:12]}"
        self._lock = threading.Lock()
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            self._tokenizer.enable_truncation(settings["model_max_length"])
            pad = settings["pad_token"]
            self._tokenizer.enable_padding(pad_token=pad, pad_id=self._tokenizer.token_to_id(pad))
            self._session = _open_session(folder / manifest["onnx_file"])
        except Exception as error:  # both libraries raise bare Exception or their own types
            raise SentenceEncoderError(
                f"The embedding model at {folder} cannot be loaded ({error}). "
                "Remove that folder and run `make model`."
            ) from error
        self._inputs = [node.name for node in self._session.get_inputs()]

    def encode(self, texts: Sequence[str], prefix: str = "query: ") -> FloatArray:
        """Return one unit vector a text, shape (len(texts), dimension).

        `prefix` is what e5 expects in front: `query: ` for what people say, `passage: ` for what is searched.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        # Texts of like length share a batch, so that little is padded.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            with self._lock:
                vectors[batch] = self._encode_batch([prefix + texts[position] for position in batch])
        return vectors

    def _encode_batch(self, texts: list[str]) -> FloatArray:
        encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        available = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden, *_) = self._session.run(None, {name: available[name] for name in self._inputs})
        # Mean over the real tokens; its length does not matter, since the vector is normalised.
        summed = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32))
        return summed / np.linalg.norm(summed, axis=1, keepdims=True)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sizes = {name: (folder / name).stat().st_size for name in manifest["files"]}
    except (OSError, ValueError, KeyError) as error:
        raise SentenceEncoderError(
            f"No complete embedding model at {folder} ({error}). "
            "Run `make model` to build it (about a minute, no network)."
        ) from error
    wrong = [name for name, size in manifest["files"].items() if sizes[name] != size]
    if wrong:
        raise SentenceEncoderError(
            f"The embedding model at {folder} is incomplete: {', '.join(wrong)} of another size than "
            f"{MANIFEST} says. Run `make model` to build it again."
        )
    return manifest


def _open_session(file: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # As in knowledge/model/load.py: the fused operator is the slower one since onnxruntime 1.30.
    options.add_session_config_entry("optimization.disable_specified_optimizers", "SkipLayerNormFusion")
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
