"""Starter content as files: read strictly, imported without loss, written back byte for byte.

The form of a file is described in knowledge/content/README.md.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import KnowledgeError
from knowledge.models import MAX_ANSWER, Category, Repeats, Sensitivity
from nlu.languages import CODES, SOURCE

KEYS = (
    "slug", "category", "department", "sensitivity", "statement", "clarification", "priority", "verified_on",
    "review_by", "valid_from", "valid_until", "event_start", "event_end", "event_repeats", "place", "phone", "web",
    "facts", "sources", "aliases", "translations",
)
PLACE_KEYS = ("name", "latitude", "longitude", "address", "address_before_2025")
SOURCE_KEYS = ("title", "url", "seen_on")
TRANSLATION_KEYS = ("question", "other_questions", "answer", "source_language")
DATES = ("verified_on", "review_by", "valid_from", "valid_until", "event_start", "event_end")


class ContentError(KnowledgeError):
    """Content files that are not in form; its text lists every problem with file and line."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: where, and what to do about it."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


# libyaml's parser where PyYAML was built with it: five times faster, same result.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """A YAML loader that refuses a key given twice (YAML itself lets the last one win silently)."""


def _mapping(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {name!r} twice", key.start_mark)
        seen.add(name)
    return _Safe.construct_mapping(loader, node, deep)


_Loader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, lambda loader, node: _mapping(loader, node, deep=True)
)


def read_folder(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return (departments, entries) of a folder; raises ContentError with every problem of every file."""
    if not folder.is_dir():
        raise ContentError(f"{folder}: no such folder. Give the folder that holds CATEGORY/SLUG.yml files.")
    problems: list[Problem] = []
    departments = _load(folder / "departments.yml", folder, problems) or []
    known = {each.get("slug") for each in departments if isinstance(each, dict)}
    entries = []
    for file in sorted(folder.glob("*/*.yml")):
        data = _load(file, folder, problems)
        if data is None:
            continue
        found = check_entry(data, file, known)
        name = str(file.relative_to(folder))
        lines = file.read_text(encoding="utf-8").splitlines()
        problems += [Problem(name, _line(lines, key), text) for key, text in found]
        if not found:
            entries.append(data)
    if problems:
        listed = "\n".join(str(problem) for problem in problems)
        raise ContentError(f"{len(problems)} problem(s), nothing was imported:\n{listed}")
    return departments, entries


def _load(file: Path, folder: Path, problems: list[Problem]) -> Any:
    name = str(file.relative_to(folder))
    try:
        text = file.read_text(encoding="utf-8")
        if not unicodedata.is_normalized("NFC", text):
            problems.append(Problem(name, 1, "text is not in Unicode form NFC; save it through an NFC editor"))
        return yaml.load(text, _Loader)  # noqa: S506 - derived from SafeLoader
    except FileNotFoundError:
        problems.append(Problem(name, 1, "missing; every folder of content has its departments.yml"))
    except UnicodeDecodeError as error:
        problems.append(Problem(name, 1, f"not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not YAML"
        problems.append(Problem(name, mark.line + 1 if mark else 1, f"{what}; correct the YAML"))
    return None


def _line(lines: list[str], key: str) -> int:
    """Return the line of the innermost part of a dotted key, as near as it can be found."""
    start = 0
    for part in key.split("."):
        for number in range(start, len(lines)):
            if lines[number].lstrip(" -").startswith(f"{part}:"):
                start = number
                break
    return start + 1


def check_entry(data: Any, file: Path, departments: set[Any]) -> list[tuple[str, str]]:
    """Return the problems of one entry as (key, what is wrong and what to do)."""
    if not isinstance(data, dict):
        return [("slug", "not a mapping; see README.md for the form")]
    problems = _keys(data, KEYS, "")
    if problems:
        return problems
    add = problems.append
    if data["slug"] != file.stem:
        add(("slug", f"slug {data['slug']!r} differs from the file's name {file.stem!r}; make them equal"))
    if data["category"] not in Category.values:
        add(("category", f"category {data['category']!r} unknown; choose one of {', '.join(Category.values)}"))
    elif data["category"] != file.parent.name:
        add(("category", f"category {data['category']!r}, but the file is in {file.parent.name!r}; move it"))
    if data["department"] not in departments:
        add(("department", f"department {data['department']!r} is not in departments.yml"))
    if data["sensitivity"] not in (Sensitivity.PUBLIC, Sensitivity.INTERNAL):
        add(("sensitivity", f"sensitivity {data['sensitivity']!r} unknown; choose public or internal"))
    if not isinstance(data["statement"], bool):
        add(("statement", f"statement {data['statement']!r}: give true (the city's approved position) or false"))
    if not isinstance(data["clarification"], bool):
        add(("clarification", f"clarification {data['clarification']!r}: give true (“is it true that …?”) or false"))
    if not isinstance(data["priority"], int) or not 1 <= data["priority"] <= 100:
        add(("priority", f"priority {data['priority']!r}: give a whole number from 1 to 100"))
    for key in DATES:
        if not (isinstance(data[key], dt.date) or (data[key] is None and key != "verified_on")):
            add((key, f"{key} {data[key]!r}: give a date YYYY-MM-DD" + ("" if key == "verified_on" else " or null")))
    if data["event_repeats"] not in (None, *Repeats.values):
        add(("event_repeats", f"event_repeats {data['event_repeats']!r}: give solar, lunar or null"))
    elif data["event_start"] is None and (data["event_repeats"] or data["event_end"]):
        add(("event_start", "event_start is missing: give the day that the event starts"))
    for key in ("facts", "aliases"):
        if not _strings(data[key]):
            add((key, f"{key}: give a list of texts, [] when there are none"))
    problems += _place(data["place"]) + _sources(data["sources"]) + _translations(data["translations"])
    return problems


def _keys(data: dict[str, Any], wanted: tuple[str, ...], where: str) -> list[tuple[str, str]]:
    missing = [(where + "slug" if not where else where.rstrip("."), f"{where}{key} is missing; add it (null if empty)")
               for key in wanted if key not in data]
    unknown = [(f"{where}{key}", f"{where}{key} unknown; known are {', '.join(wanted)}")
               for key in data if key not in wanted]
    return missing + unknown


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)


def _place(place: Any) -> list[tuple[str, str]]:
    if place is None:
        return []
    if not isinstance(place, dict):
        return [("place", "place: give a mapping or null")]
    problems = _keys(place, PLACE_KEYS, "place.")
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if (latitude is None) != (longitude is None):
        problems.append(("place.latitude", "give both latitude and longitude, or null for both"))
    for key, value, limit in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if value is not None and not (isinstance(value, (int, float)) and -limit <= value <= limit):
            problems.append((f"place.{key}", f"{key} {value!r}: give degrees between -{limit} and {limit}"))
    return problems


def _sources(sources: Any) -> list[tuple[str, str]]:
    if not isinstance(sources, list) or not sources or not all(isinstance(each, dict) for each in sources):
        return [("sources", "sources: give at least one with title, url, seen_on")]
    problems = [problem for each in sources for problem in _keys(each, SOURCE_KEYS, "sources.")]
    for each in sources:
        if not str(each.get("url", "")).startswith(("https://", "http://")):
            problems.append(("sources", f"source address {each.get('url')!r}: give a full http(s) address"))
        if not isinstance(each.get("seen_on"), dt.date):
            problems.append(("sources", f"seen_on {each.get('seen_on')!r}: give a date YYYY-MM-DD"))
    return problems


def _translations(translations: Any) -> list[tuple[str, str]]:
    if not isinstance(translations, dict) or SOURCE not in translations:
        return [("translations", f"translations: give at least {SOURCE}")]
    problems = []
    for code, each in translations.items():
        where = f"translations.{code}"
        if code not in CODES:
            problems.append((where, f"language {code!r} unknown; known are {', '.join(CODES)}"))
            continue
        if not isinstance(each, dict):
            problems.append((where, f"{code}: give question, other_questions, answer, source_language"))
            continue
        problems += _keys(each, TRANSLATION_KEYS, f"{where}.")
        for key, limit in (("question", 300), ("answer", MAX_ANSWER)):
            value = each.get(key)
            if not isinstance(value, str) or not value.strip():
                problems.append((f"{where}.{key}", f"{code}: {key} is empty"))
            elif len(value.strip()) > limit:
                problems.append(
                    (f"{where}.{key}", f"{code}: {key} has {len(value.strip())} characters, at most {limit}")
                )
        if not _strings(each.get("other_questions")):
            problems.append(
                (f"{where}.other_questions", f"{code}: other_questions: give a list of texts, [] when none")
            )
        source = each.get("source_language")
        if source is not None and (source not in translations or source == code):
            problems.append(
                (f"{where}.source_language", f"{code}: source_language {source!r} is not another language here")
            )
    return problems
