"""The built model, once per session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The default model, built when it is missing (about a minute)."""
    from knowledge.model.build import build_model

    folder = Path(os.environ.get("CITYDESK_MODEL", ROOT / "var" / "model"))
    build_model(folder)
    return folder
