"""`python -m tests.bench.language`: how often the language of a short message is told right, beside lingua.

Both read the same labelled set (tests/data/language.jsonl) in the same run. Lingua gets what favours it: only the
languages of the set to choose from; every language that we do not speak counts as one answer, and so does "unknown"
(it has no Lao, Khmer or Burmese).
Rows of the form "ambiguous" (a word that many languages share) have no right answer and are left out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from nlu.chinese import chinese_script
from nlu.language import OTHER, identify
from nlu.languages import CODES

SET = Path(__file__).resolve().parents[1] / "data" / "language.jsonl"
AMBIGUOUS = "ambiguous"
SPLITS = ("tune", "test")


def read_rows(split: str | None = None) -> list[dict[str, str]]:
    """Return the labelled rows {"text", "language", "form", "split"} of one split, or all, without the ambiguous."""
    rows = [json.loads(line) for line in SET.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["form"] != AMBIGUOUS and split in (None, row["split"])]


def group(row: dict[str, str]) -> str:
    """Return the language and form that a row is counted under; all we do not speak are one group."""
    return row["language"] if row["language"] == OTHER else f"{row['language']} {row['form']}".strip()


def ours(text: str) -> str:
    """Return what nlu/language.py says of a first message."""
    return identify(text).language


def lingua() -> Callable[[str], str]:
    """Return lingua's answer as a function: one of our codes, or `OTHER`, also where it cannot tell.

    Raises ImportError without the `test` extra.
    """
    from lingua import IsoCode639_1, LanguageDetectorBuilder  # of the test extra, and 100 MB of models

    foreign = ("de es it pt nl pl id ms tl th hi ar uk tr sv da fi cs hu el he").upper().split()
    codes = [getattr(IsoCode639_1, code) for code in (*(code.upper() for code in CODES), *foreign)]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build()

    def answer(text: str) -> str:
        found = detector.detect_language_of(text)
        if found is None:
            return OTHER
        code = found.iso_code_639_1.name.lower()
        return code if code in CODES else OTHER

    return answer


def count(rows: list[dict[str, str]], answer: Callable[[str], str]) -> dict[str, tuple[int, list[str]]]:
    """Return {group: (rows, [wrong as "text → answer"…])}."""
    total: dict[str, int] = defaultdict(int)
    wrong: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        total[group(row)] += 1
        said = answer(row["text"])
        if said != row["language"]:
            wrong[group(row)].append(f"{row['text']} → {said}")
    return {name: (number, wrong[name]) for name, number in total.items()}


def scripts(rows: list[dict[str, str]]) -> tuple[int, list[str]]:
    """Return how many Chinese rows show their script, and those told wrong."""
    rows = [row for row in rows if row["language"] == "zh" and row["form"] in ("hans", "hant")]
    said = [(row, chinese_script(row["text"])) for row in rows]
    return len(rows), [f"{row['text']} → {script}" for row, script in said if (script or "").lower() != row["form"]]


def microseconds(rows: list[dict[str, str]], answer: Callable[[str], str]) -> float:
    """Return the mean time of one answer, in µs, after a first round."""
    texts = [row["text"] for row in rows]
    for text in texts:
        answer(text)
    started = time.perf_counter()
    for text in texts:
        answer(text)
    return (time.perf_counter() - started) / len(texts) * 1e6


def measure(split: str | None) -> dict[str, Any]:
    """Return the counts of both identifiers on one split (None: all rows)."""
    rows = read_rows(split)
    answers = {"ours": ours, "lingua": lingua()}
    counted = {name: count(rows, answer) for name, answer in answers.items()}
    chinese, wrong_script = scripts(rows)
    return {
        "split": split or "all",
        "rows": len(rows),
        "accuracy": {
            name: round(1 - sum(len(wrong) for _, wrong in groups.values()) / len(rows), 4)
            for name, groups in counted.items()
        },
        "microseconds": {name: round(microseconds(rows, answer), 1) for name, answer in answers.items()},
        "groups": {
            name: {"rows": rows_of, **{who: rows_of - len(counted[who][name][1]) for who in answers}}
            for name, (rows_of, _) in sorted(counted["ours"].items())
        },
        "wrong": [text for _, wrong in counted["ours"].values() for text in wrong],
        "script": {"rows": chinese, "right": chinese - len(wrong_script), "wrong": wrong_script},
    }


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.language", description=__doc__)
    parser.add_argument("--split", choices=(*SPLITS, "all"), default="all", help="which rows (default: all)")
    parser.add_argument("--errors", action="store_true", help="list what ours tells wrong")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(None if options.split == "all" else options.split)
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    table = Table(title=f"Language of short messages, split “{result['split']}” ({result['rows']} rows)")
    table.add_column("language, form")
    for heading in ("rows", "ours", "%", "lingua", "%"):
        table.add_column(heading, justify="right")
    for name, numbers in result["groups"].items():
        shares = [f"{numbers[who] / numbers['rows']:.1%}" for who in ("ours", "lingua")]
        table.add_row(
            name, str(numbers["rows"]), str(numbers["ours"]), shares[0], str(numbers["lingua"]), shares[1]
        )
    accuracy, speed, script = result["accuracy"], result["microseconds"], result["script"]
    table.add_section()
    table.add_row("all", str(result["rows"]), "", f"{accuracy['ours']:.1%}", "", f"{accuracy['lingua']:.1%}")
    table.add_row("µs a message", "", f"{speed['ours']:.0f}", "", f"{speed['lingua']:.0f}", "")
    console = Console()
    console.print(table)
    console.print(f"Chinese script told: {script['right']} of {script['rows']}")
    if options.errors:
        for line in (*result["wrong"], *script["wrong"]):
            console.print("  " + line, markup=False)


if __name__ == "__main__":
    main()
