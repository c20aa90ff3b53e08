"""What the starter entries rest on: the register of researched facts, and who states a weak one as if it were sure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.quality.findings import Finding
from knowledge.quality.rules import Data
from nlu.languages import SOURCE

COLUMNS = ("key", "confidence", "doubt", "source", "source_date")
CONFIDENCE = ("high", "medium", "low")
# How a Vietnamese answer says that something is not settled.
_OPEN = re.compile(
    r"chưa (?:\w+ ){0,4}(?:xác nhận|kiểm chứng|rõ|thống nhất|tìm thấy|có)|khác nhau|không thống nhất|"
    r"có (?:nguồn|trang|nơi|thông tin)|theo (?:thông tin|nguồn|một|các|truyền)|nguồn (?:khoảng )?năm|được cho là|"
    r"giá (?:cũ|năm)|hãy (?:hỏi|kiểm tra)|(?:nên|xin) (?:hỏi|kiểm tra|xác nhận)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fact:
    """A row of the register: how sure it is, what speaks against it ("conflict", "inferred", "background"), whence."""

    key: str
    confidence: str
    doubt: str
    source: str
    source_date: str

    @property
    def rule(self) -> str | None:
        """Return the rule that an answer breaks which states it as settled; None when it may be stated.

        Of a fact that sources contradict in part, the other part may be stated: a person has to look.
        """
        if self.confidence == "low":
            return "weak_fact"
        return "disputed_fact" if self.confidence != "high" and "conflict" in self.doubt else None


def read_research(file: Path) -> dict[str, Fact]:
    """Return the register by key; raises KnowledgeError that names the line."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise KnowledgeError(f"{file}:1: columns must be {', '.join(COLUMNS)}")
            facts: dict[str, Fact] = {}
            for row in reader:
                fact = Fact(**{key: row[key] or "" for key in COLUMNS})
                if fact.confidence not in CONFIDENCE:
                    raise KnowledgeError(
                        f"{file}:{reader.line_num}: confidence {fact.confidence!r}; one of {', '.join(CONFIDENCE)}"
                    )
                if fact.key in facts:
                    raise KnowledgeError(f"{file}:{reader.line_num}: {fact.key} is there twice")
                facts[fact.key] = fact
    except OSError as error:
        raise KnowledgeError(f"{file} cannot be read ({error.strerror})") from error
    return facts


def weak_facts(entries: Iterable[Data], research: Mapping[str, Fact]) -> list[Finding]:
    """Return the entries that name an unknown fact, or a weak one without saying that it is not settled."""
    found = []
    for entry in entries:
        answer = entry["translations"].get(SOURCE, {}).get("answer", "")
        for key in entry["facts"]:
            if key not in research:
                found.append(Finding("weak_fact", entry["slug"], "", f"{key}: không có / not in the register"))
            elif (rule := research[key].rule) and not _OPEN.search(answer):
                doubt = ", ".join(filter(None, [research[key].confidence, research[key].doubt]))
                found.append(Finding(rule, entry["slug"], SOURCE, f"{key}: {doubt}"))
    return found
