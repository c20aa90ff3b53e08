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


_CYRILLIC = re.compile("[\u0400-\u04ff]")


class Patterns:
    """Alternatives of one kind, compiled per script: Latin letters need not try the Korean ones."""

    def __init__(self, lines: list[str]) -> None:
        groups: dict[str, list[str]] = {"unspaced": [], "cyrillic": [], "spaced": []}
        for line in lines:
            for alternative in _alternatives(line):
                groups[_script(alternative)].append(alternative)
        self._compiled = {
            name: re.compile(_bounded("|".join(group), spaced=name != "unspaced"))
            for name, group in groups.items()
            if group
        }

    def _for(self, text: str) -> list[re.Pattern[str]]:
        names = ["spaced"]
        if _HAS_UNSPACED.search(text):
            names.insert(0, "unspaced")
        if _CYRILLIC.search(text):
            names.insert(0, "cyrillic")
        return [self._compiled[name] for name in names if name in self._compiled]

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match."""
        return next((match for pattern in self._for(text) if (match := pattern.search(text))), None)

    def cut(self, text: str) -> str:
        """Return `text` without what matches."""
        for pattern in self._for(text):
            text = pattern.sub(" · ", text)
        return text


@dataclass(frozen=True)
class Cues:
    """The patterns of one file: per kind in the file's order, whole messages, and look-alikes."""

    kinds: tuple[tuple[str, Patterns], ...]
    whole: re.Pattern[str]
    lookalike: Patterns


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
        kinds=tuple((kind, Patterns(lines)) for kind, lines in sections.items()),
        whole=re.compile("|".join(whole)) if whole else _NEVER,
        lookalike=Patterns(lookalike),
    )


def _script(pattern: str) -> str:
    if _HAS_UNSPACED.search(pattern):
        return "unspaced"
    return "cyrillic" if _CYRILLIC.search(pattern) else "spaced"


def _bounded(pattern: str, *, spaced: bool) -> str:
    """Bound alternatives by word ends, where their script has them; once for all is four times faster."""
    return rf"(?<!\w)(?:{pattern})(?!\w)" if spaced else pattern


def _alternatives(line: str) -> list[str]:
    """Split a line at the bars outside brackets: one line may hold scripts of both kinds."""
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
