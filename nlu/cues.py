"""Reads the pattern files of `nlu/data/` that the emergency and press detectors use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "data"
# Scripts that write without spaces between words: a word boundary would never be found there.
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class Cues:
    """The compiled patterns of one file: per kind in the file's order, whole messages, and look-alikes."""

    kinds: tuple[tuple[str, re.Pattern[str]], ...]
    whole: re.Pattern[str]
    lookalike: re.Pattern[str]


def read_cues(name: str, folder: Path = FOLDER) -> Cues:
    """Return the patterns of `<folder>/<name>.txt`.

    Raises ValueError with file and line for a pattern that is no regular expression.
    """
    sections: dict[str, list[str]] = {}
    file = folder / f"{name}.txt"
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if re.fullmatch(r"\[\w+\]", stripped):
            current = sections.setdefault(stripped[1:-1], [])
            continue
        try:
            re.compile(stripped)
        except re.error as error:
            raise ValueError(f"{file}, line {number}: {error}") from error
        current.append(stripped)
    whole, lookalike = sections.pop("whole", []), sections.pop("lookalike", [])
    return Cues(
        kinds=tuple((kind, _join(patterns)) for kind, patterns in sections.items()),
        whole=re.compile("|".join(whole)) if whole else _NEVER,
        lookalike=_join(lookalike),
    )


def _join(lines: list[str]) -> re.Pattern[str]:
    """Join patterns into one, each bounded by word ends where its script writes spaces between words."""
    bounded = [
        f"(?:{pattern})" if _HAS_UNSPACED.search(pattern) else rf"(?<!\w)(?:{pattern})(?!\w)"
        for line in lines
        for pattern in _alternatives(line)
    ]
    return re.compile("|".join(bounded)) if bounded else _NEVER


def _alternatives(line: str) -> list[str]:
    """Split a line at the bars that stand outside brackets: one line may hold languages of both kinds of script."""
    parts, depth, escaped = [""], 0, False
    for character in line:
        if character == "|" and depth == 0 and not escaped:
            parts.append("")
            continue
        if not escaped:
            depth += (character in "([") - (character in ")]")
        escaped = character == "\\" and not escaped
        parts[-1] += character
    return [part for part in parts if part]
