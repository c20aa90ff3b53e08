"""The documentation names what exists, and nothing that does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nlu.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]


def read(*names: str) -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


def variables_in_code() -> set[str]:
    found = {f"CITYDESK_{name}" for name in re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", read("desk/settings.py"))}
    for folder in ("nlu", "knowledge", "actions", "bot", "desk", "tools", "tests"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in (".py", "", ".yml") and file.is_file() and "content" not in file.parts:
                found |= set(re.findall(r"CITYDESK_[A-Z_]+[A-Z]", file.read_text(encoding="utf-8", errors="ignore")))
    return found


def test_every_setting_is_in_the_settings_table_and_every_row_is_a_setting():
    documented = set(re.findall(r"^\| `(CITYDESK_[A-Z_]+)`", read("docs/settings.md"), re.M))
    assert variables_in_code() == documented


def test_every_make_target_has_a_line_of_help_and_the_readme_names_the_two_commands():
    makefile = read("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    helped = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    assert set(phony) - helped <= {"setup"}
    for target in ("run", "test", "chat", "bench", "train", "model", "lint"):
        assert target in helped
        assert f"make {target}" in read("README.md")


def test_the_readme_names_every_language():
    english = {"vi": "Vietnamese", "en": "English", "zh": "Chinese", "ko": "Korean", "ja": "Japanese", "fr": "French",
               "ru": "Russian"}
    assert {language.code for language in LANGUAGES} == set(english)
    for name in english.values():
        assert name in read("README.md")


def markdown_files() -> list[str]:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [str(file.relative_to(ROOT)) for file in files]


@pytest.mark.parametrize("name", markdown_files())
def test_links_between_documents_lead_somewhere(name: str):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", read(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_the_decisions_index_lists_every_decision():
    index = read("docs/decisions/README.md")
    for file in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert f"({file.name})" in index


def test_every_dependency_has_its_reason_beside_it():
    lines = [line for line in read("pyproject.toml").splitlines() if re.match(r'\s+"[A-Za-z].*[=<>].*",', line)]
    assert lines
    for line in lines:
        assert "# " in line or "pytest>=" in line, line
