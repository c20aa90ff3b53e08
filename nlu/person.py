"""Tells whether somebody asks for a person, without the dialogue engine: by its training sentences as they stand.

What the engine generalises from them is missing here; while it is down, a sentence it was taught is enough.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

from nlu.phrases import command
from nlu.text import fold

EXAMPLES = Path(__file__).parent / "training" / "human.yml"


def asks_for_person(text: str) -> bool:
    """Return whether a message is an order for a person or one of the sentences that the engine is trained with."""
    return command(text) == "human" or _bare(text) in _sentences()


@lru_cache(maxsize=1)
def _sentences() -> frozenset[str]:
    data = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    lines = [line for block in data["nlu"] if block.get("intent") == "human" for line in block["examples"].splitlines()]
    return frozenset(_bare(line.removeprefix("- ")) for line in lines if line.strip())


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", fold(text)).strip()
