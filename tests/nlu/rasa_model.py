"""The trained dialogue model for tests: the one in var/ when it is newer than what it was made from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "rasa" / "bin" / "python"
INPUTS = ("config.yml", "domain", "nlu")


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with the repository on the path."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def trained_model(folder: Path) -> Path:
    """Return a model file; train into `folder` only when none is up to date (under a minute)."""
    built = ROOT / "var" / "rasa" / "models" / "citydesk.tar.gz"
    if built.exists() and built.stat().st_mtime >= _newest_input():
        return built
    model = folder / "rasa" / "models" / "citydesk.tar.gz"
    if not model.exists():
        done = subprocess.run(
            [PYTHON, "-m", "nlu.server", "train"],
            cwd=ROOT,
            env=environment(CITYDESK_VAR=str(folder)),
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert model.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return model


def _newest_input() -> float:
    files: list[Path] = []
    for name in INPUTS:
        path = ROOT / name
        files += (
            [path] if path.is_file() else [f for f in path.rglob("*") if f.suffix in (".yml", ".py", ".txt")]
        )
    return max(file.stat().st_mtime for file in files)
