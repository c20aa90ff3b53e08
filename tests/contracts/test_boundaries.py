"""What each package may import: the seams of docs/architecture.md, checked in fresh interpreters."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "rasa", "faiss", "sentence_transformers", "transformers")
PLAIN = ("languages", "text", "language", "emergency", "press")


@pytest.mark.parametrize("modules", [
    "bot.app, bot.telegram.channel, bot.telegram.sender, bot.terminal",
    "desk.wsgi, desk.tickets, desk.urls",
    "knowledge.answers, knowledge.client, knowledge.models",
    pytest.param("actions.server", id="actions"),
])
def test_processes_without_a_model_import_no_model_libraries(modules: str):
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'desk.settings'; django.setup(); "
        f"import {modules}; found = [name for name in {HEAVY!r} if name in sys.modules]; "
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", PLAIN)
def test_the_plain_modules_of_nlu_need_only_the_standard_library(name: str):
    seen, todo = set(), [name]
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        for node in ast.walk(ast.parse((ROOT / "nlu" / f"{module}.py").read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" if node.module == "nlu" else node.module for alias in node.names]
            for imported in names:
                top, _, rest = imported.partition(".")
                if top == "nlu":
                    todo.append(rest.split(".")[0])
                else:
                    assert top in sys.stdlib_module_names, f"nlu/{module}.py imports {imported}"


def test_no_file_of_the_repository_holds_a_machine_path_or_a_secret():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        file = ROOT / name
        if file.suffix in (".png", ".svg") or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="ignore")
        for marker in ("/work/" + "main", "/root/" + ".pyenv", "BEGIN PRIVATE" + " KEY"):
            assert marker not in text, f"{name} holds {marker}"
