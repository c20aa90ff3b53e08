"""Measures how press requests are told from what only sounds like them: `python -m nlu.measure_press`.

Reads a labelled set (`tests/data/press.jsonl`: text, language, kind, split) with the trained model, which needs the
dialogue environment, or with `--cues` the cues alone: what `bot/fallback.py` has while Rasa is down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlu import press

# What the held-out part must reach (issue 4): the share of requests found, of ordinary questions handed off.
MIN_RECALL, MAX_FALSE = 0.99, 0.02
LABELLED = Path(__file__).resolve().parents[1] / "tests" / "data" / "press.jsonl"


@dataclass(frozen=True)
class Read:
    """What became of a message: taken for a press request, for a question for the city's position."""

    press: bool
    position: bool


def by_cues(texts: list[str]) -> list[Read]:
    """Read messages as bot does while the dialogue engine is down."""
    return [Read(press.detect(text) is not None, press.asks_position(text)) for text in texts]


def by_model(texts: list[str], languages: list[str], model: Path) -> list[Read]:
    """Read messages with the trained model; needs Rasa.

    Raises:
        FileNotFoundError: there is no such model.
    """
    if not model.exists():
        raise FileNotFoundError(f"There is no model {model}. `make` trains one.")
    warnings.simplefilter("ignore")
    from nlu import without_tensorflow
    from nlu.server import environment

    without_tensorflow.install()
    os.environ.update(environment())
    import logging

    import structlog
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    processor = Agent.load(str(model)).processor

    async def parse() -> list[dict[str, Any]]:
        return [
            await processor.parse_message(UserMessage(text, metadata={"language": language}))
            for text, language in zip(texts, languages, strict=True)
        ]

    return [
        Read(
            parsed["intent"]["name"] == "press",
            any(entity["entity"] == "position" for entity in parsed["entities"]),
        )
        for parsed in asyncio.run(parse())
    ]


def measure(rows: list[dict[str, str]], found: list[Read]) -> dict[str, Any]:
    """Return recall, the share of false hand-offs, both per language, and what was read wrongly."""
    total: dict[str, Counter[str]] = defaultdict(Counter)
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[dict[str, str]] = []
    for row, read in zip(rows, found, strict=True):
        kind = row["kind"]
        # A question for the position is handed off either way.
        handed_off = read.press or read.position
        right = handed_off is (kind in ("press", "position")) and (kind != "press" or read.press)
        total[row["language"]][kind] += 1
        taken[row["language"]][kind] += read.press if kind == "press" else handed_off
        if not right:
            wrong.append({"text": row["text"], "language": row["language"], "kind": kind})
    return {
        "all": _figures(sum(total.values(), Counter()), sum(taken.values(), Counter())),
        "languages": {language: _figures(total[language], taken[language]) for language in sorted(total)},
        "wrong": wrong,
    }


def _figures(total: Counter[str], taken: Counter[str]) -> dict[str, Any]:
    ordinary = ("look_alike", "journalist_ordinary")
    others, false = sum(total[kind] for kind in ordinary), sum(taken[kind] for kind in ordinary)
    return {
        "press": total["press"],
        "recall": _share(taken["press"], total["press"]),
        "look_alikes": others,
        "false_hand_offs": _share(false, others),
        "positions": total["position"],
        "positions_found": _share(taken["position"], total["position"]),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; the exit status is 1 below the targets, and when there is no model."""
    parser = argparse.ArgumentParser(prog="python -m nlu.measure_press", description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, default=LABELLED, help="the labelled set")
    splits = ("tune", "test", "blind", "blind2", "blind3", "all")
    parser.add_argument("--split", default="test", choices=splits, help="which part of it")
    parser.add_argument("--cues", action="store_true", help="the cues alone, without the trained model")
    parser.add_argument("--wrong", action="store_true", help="also the messages read wrongly")
    parser.add_argument("--json", action="store_true", help="all figures as JSON")
    parser.add_argument("--model", type=Path, help="the trained model; by default the one in CITYDESK_VAR")
    options = parser.parse_args(arguments)
    rows = [json.loads(line) for line in options.file.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if options.split in ("all", row["split"])]
    texts = [row["text"] for row in rows]
    if options.cues:
        found = by_cues(texts)
    else:
        var = Path(os.environ.get("CITYDESK_VAR") or LABELLED.parents[2] / "var")
        model = options.model or var / "rasa" / "models" / "citydesk.tar.gz"
        try:
            found = by_model(texts, [row["language"][:2] for row in rows], model)
        except FileNotFoundError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    figures = measure(rows, found)
    whole = figures["all"]
    reached = (whole["recall"] or 0) >= MIN_RECALL and (whole["false_hand_offs"] or 0) <= MAX_FALSE
    if options.json:
        sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
        return 0 if reached else 1
    head = ("press", "recall", "look_alikes", "false_hand_offs", "positions", "positions_found")
    sys.stdout.write(f"{'':8} {' '.join(f'{name:>15}' for name in head)}\n")
    for language, line in {**figures["languages"], "all": figures["all"]}.items():
        sys.stdout.write(f"{language:8} {' '.join(f'{_shown(line[name]):>15}' for name in head)}\n")
    if options.wrong:
        for row in figures["wrong"]:
            sys.stdout.write(f"wrong: {row['kind']:19} {row['language']:8} {row['text']}\n")
    return 0 if reached else 1


def _shown(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
