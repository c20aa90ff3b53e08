"""Loads a model folder built here through sentence-transformers' ONNX backend, on one thread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# From 1.29 on, onnxruntime reports its use to its maker unless this is set before it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def load_onnx_folder(folder: Path, onnx_file: str) -> SentenceTransformer:
    """Load `folder` with the ONNX file named, relative to it; asks no network."""
    import onnxruntime
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)  # pooling of one vector: threads would only wait for each other
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Since 1.30 the fused operator takes three times as long as the addition and the layer norm it replaces.
    options.add_session_config_entry("optimization.disable_specified_optimizers", "SkipLayerNormFusion")
    return SentenceTransformer(
        str(folder),
        backend="onnx",
        device="cpu",
        local_files_only=True,
        model_kwargs={
            "file_name": onnx_file,
            "provider": "CPUExecutionProvider",
            "session_options": options,
        },
        # transformers 4.57 takes every tokenizer in a local folder for Mistral's and warns; this is XLM-R's.
        processor_kwargs={"fix_mistral_regex": False},
    )
