"""`manage.py measure_restore [--json]`: how well diacritics are restored and mistyped words found."""

from __future__ import annotations

import json
import random
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from knowledge.restore import SHORT, Restorer, lacks_diacritics
from knowledge.spelling import LONG, SHORTEST, Speller
from knowledge.syllables import syllables
from knowledge.tokens import tokenize
from nlu.text import fold

CONTENT = settings.BASE_DIR / "knowledge" / "content"
DATA = settings.BASE_DIR / "tests" / "data"
FOLDS, SEED = 5, 2025
LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY, TYPOS = 20_000, 2_000
# The longest short form is written out in so many words.
AHEAD = 6
Restore = Callable[[str], str]


class Command(BaseCommand):
    help = (
        "Measure the restorer of diacritics (share of syllables right, also pyvi's where it is installed) on our "
        "questions, on encyclopaedic ones and by cross-validation, and the finder of mistyped words."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--failures", action="store_true", help="list the questions restored wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        restored = list(measure_restorer(_pyvi(), options["failures"]))
        spelling = measure_speller()
        if options["json"]:
            self.stdout.write(json.dumps({"restore": restored, "spelling": spelling}, ensure_ascii=False, indent=1))
            return
        table = Table(title="syllables restored right")
        for column in ("questions", "syllables", "left plain", "citydesk", "pyvi", "ms"):
            table.add_column(column)
        for row in restored:
            for failure in row.pop("failures", ()):
                self.stdout.write(f"{failure['meant']}\n→ {failure['restored']}")
            table.add_row(row.pop("set"), *(f"{each:.4g}" if each is not None else "-" for each in row.values()))
        Console(file=self.stdout).print(table)
        self.stdout.write("mistyped words: " + ", ".join(f"{key} {value}" for key, value in spelling.items()))


def measure_restorer(pyvi: Restore | None, failures: bool = False) -> Iterator[dict[str, Any]]:
    """Yield for each set of questions the share of syllables right; the texts given are those that are searched."""
    entries = list(_entries())
    everything = [text for questions, others in entries for text in (*questions, *others)]
    # `fresh-vi.jsonl` was written by others after the restorer was tuned; neither set was tuned on.
    for name in ("vi", "fresh-vi"):
        path = DATA / "questions" / f"{name}.jsonl"
        if path.exists():
            yield _row(path.stem, [(_texts(path, "text"), Restorer(everything))], pyvi, failures)
    corpus, queries = DATA / "paragraphs" / "corpus-vi.jsonl", DATA / "paragraphs" / "queries-vi.jsonl"
    if queries.exists():
        asked = _texts(queries, "text")
        yield _row("encyclopaedic", [(asked, Restorer(_texts(corpus, "title", "text")))], pyvi, failures)
        yield _row("encyclopaedic, its texts unknown", [(asked, Restorer(everything))], pyvi, failures)
    order = list(range(len(entries)))
    random.Random(SEED).shuffle(order)  # noqa: S311 - folds, no secret
    folds = []
    for fold_ in (set(order[i::FOLDS]) for i in range(FOLDS)):
        rest = [text for i, (asked, others) in enumerate(entries) if i not in fold_ for text in (*asked, *others)]
        folds.append(([text for i in sorted(fold_) for text in entries[i][0]], Restorer(rest)))
    yield _row("content, the entry itself unknown", folds, pyvi, failures)


def _row(
    name: str, parts: Iterable[tuple[list[str], Restorer]], pyvi: Restore | None, failures: bool
) -> dict[str, Any]:
    right: Counter[str] = Counter()
    spent, wrong, asked = 0.0, [], 0
    for questions, restorer in parts:
        # A question that its author typed without diacritics says nothing of what was meant.
        for question in (each for each in questions if not lacks_diacritics(each)):
            # Capitals stay: pyvi does better with them.
            plain, asked = _strip(question), asked + 1
            started = time.perf_counter()
            ours = restorer.restore(plain)
            spent += time.perf_counter() - started
            right["all"] += sum(map(_counts, syllables(question)))
            right["plain"] += _right(question, plain)
            right["ours"] += (found := _right(question, ours))
            right["pyvi"] += _right(question, pyvi(plain)) if pyvi else 0
            if failures and found < sum(map(_counts, syllables(question))):
                wrong.append({"meant": " ".join(syllables(question)), "restored": ours})
    total = right["all"] or 1
    row = {
        "set": name, "syllables": right["all"], "plain": right["plain"] / total, "citydesk": right["ours"] / total,
        "pyvi": right["pyvi"] / total if pyvi else None, "ms": 1000 * spent / max(asked, 1),
    }
    return row | ({"failures": wrong} if failures else {})


def _strip(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _counts(word: str) -> bool:
    """Tell whether a word is one to be restored; what a short form should become is a matter of taste."""
    return word.isalpha() and word not in SHORT


def _right(meant: str, restored: str) -> int:
    """Count the words restored as meant; a short form written out does not shift the words after it."""
    position, count, got = 0, 0, syllables(restored)
    for word in syllables(meant):
        plain = fold(word)
        at = next((i for i, each in enumerate(got[position : position + AHEAD]) if fold(each) == plain), None)
        if at is not None:
            count += _counts(word) and got[position + at] == word
            position += at + 1
    return count


def measure_speller() -> dict[str, float]:
    """Return the share of seeded typing mistakes in the content's own words that are found, first and at all."""
    chance = random.Random(SEED)  # noqa: S311 - mistakes, no secret
    words = Counter(
        term for path in sorted(CONTENT.rglob("*.yml")) for term in tokenize(path.read_text(encoding="utf-8"))
    )
    own = sorted(term for term in words if len(term) >= SHORTEST + 1 and term.isascii() and term.isalpha())
    # Filled up with made-up words to the size of a large index, which makes it harder and slower.
    while len(words) < VOCABULARY:
        words["".join(chance.choices(LETTERS, k=chance.randint(3, 12)))] += 1
    speller = Speller(words)
    first = among = asked = 0
    spent, slowest = 0.0, 0.0
    for _ in range(TYPOS):
        term = chance.choice(own)
        typed = _mistype(term, chance)
        if len(term) > LONG and chance.random() < 0.3:
            typed = _mistype(typed, chance)
        if typed in words:
            continue
        started = time.perf_counter()
        near = [found for found, _ in speller.near(typed)]
        taken = time.perf_counter() - started
        spent, slowest, asked = spent + taken, max(slowest, taken), asked + 1
        first += near[:1] == [term]
        among += term in near
    return {
        "asked": asked, "vocabulary": len(words), "first": round(first / asked, 4), "found": round(among / asked, 4),
        "ms": round(1000 * spent / asked, 3), "ms_slowest": round(1000 * slowest, 3),
    }


def _mistype(term: str, chance: random.Random) -> str:
    at, letter = chance.randrange(len(term) - 1), chance.choice(LETTERS)
    return chance.choice((
        term[:at] + term[at + 1 :],
        term[:at] + letter + term[at:],
        term[:at] + letter + term[at + 1 :],
        term[:at] + term[at + 1] + term[at] + term[at + 2 :],
    ))


def _entries() -> Iterator[tuple[list[str], list[str]]]:
    """Yield each entry's Vietnamese questions, and its other Vietnamese texts."""
    for path in sorted(CONTENT.glob("*/*.yml")):
        entry = yaml.safe_load(path.read_text(encoding="utf-8"))
        if text := (entry.get("translations") or {}).get("vi"):
            yield [text["question"], *text.get("other_questions", ())], [text["answer"]]


def _texts(path: Path, *keys: str) -> list[str]:
    lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return [line[key] for line in lines for key in keys if line.get(key)]


def _pyvi() -> Restore | None:
    try:
        from pyvi import ViUtils
    except ImportError:
        return None

    def restore(text: str) -> str:
        try:
            return str(ViUtils.add_accents(text))
        except KeyError:  # its model sometimes puts out letters that it does not know
            return text

    return restore
