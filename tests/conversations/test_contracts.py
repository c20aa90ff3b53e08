"""What ties domain/, rules, actions and components together."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import yaml
from rasa_sdk import Action

import actions
from nlu.languages import CODES, DEFAULT

ROOT = Path(__file__).resolve().parents[2]
DOMAINS = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / "domain").glob("*.yml"))
}
RULES = [
    rule
    for file in sorted((ROOT / "nlu" / "training" / "rules").glob("*.yml"))
    for rule in yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]
]
# Rasa brings these intents and actions itself.
BUILT_IN_INTENTS = {"restart", "back", "session_start", "out_of_scope"}
BUILT_IN_ACTIONS = {"action_deactivate_loop", "action_listen", "action_default_fallback"}


def names(kind: str) -> list[str]:
    found: list[str] = []
    for domain in DOMAINS.values():
        for item in domain.get(kind) or []:
            found.append(next(iter(item)) if isinstance(item, dict) else item)
    return found


def responses() -> list[tuple[str, list[dict[str, Any]]]]:
    return [pair for domain in DOMAINS.values() for pair in (domain.get("responses") or {}).items()]


def language_of(variant: dict[str, Any]) -> str:
    return next((c["value"] for c in variant.get("condition", []) if c["name"] == "language"), DEFAULT)


def test_every_response_stands_once() -> None:
    # Rasa takes one of two copies and only warns (style, section 4).
    found = [name for name, _ in responses()]
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize(
    ("name", "variants"), responses(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_response_speaks_every_language(name: str, variants: list[dict[str, Any]]) -> None:
    assert sorted(language_of(v) for v in variants) == sorted(CODES)
    assert [v for v in variants if "condition" not in v] == [v for v in variants if language_of(v) == DEFAULT]
    default = next(v for v in variants if language_of(v) == DEFAULT)
    for variant in variants:
        assert placeholders(variant["text"]) == placeholders(default["text"])
        assert [b["payload"] for b in variant.get("buttons", [])] == [
            b["payload"] for b in default.get("buttons", [])
        ]
        assert variant.get("custom") == default.get("custom")
        assert len({b["title"] for b in variant.get("buttons", [])}) == len(variant.get("buttons", []))


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_every_button_is_an_order_that_exists() -> None:
    intents, entities = set(names("intents")), set(names("entities"))
    for name, variants in responses():
        for button in (b for v in variants for b in v.get("buttons", [])):
            payload = button["payload"].replace("{{", "{").replace("}}", "}")
            intent, _, values = payload.removeprefix("/").partition("{")
            assert intent in intents, name
            assert set(json.loads("{" + values) if values else {}) <= entities, name


def test_every_action_has_a_class_and_every_class_an_action() -> None:
    classes = set()
    for module in iter_modules(actions.__path__):
        if module.name == "__main__":
            continue
        for _, value in inspect.getmembers(import_module(f"actions.{module.name}"), inspect.isclass):
            if issubclass(value, Action) and value.__module__.startswith("actions.") and not inspect.isabstract(value):
                classes.add(value().name())
    assert classes == set(names("actions"))


def test_rules_speak_of_what_exists() -> None:
    intents = set(names("intents")) | BUILT_IN_INTENTS
    forms = {form for domain in DOMAINS.values() for form in domain.get("forms") or {}}
    known = set(names("actions")) | {name for name, _ in responses()} | forms | BUILT_IN_ACTIONS
    for rule in RULES:
        for step in rule["steps"]:
            for each in step.get("or", [step]):
                assert each.get("intent", "ask") in intents, rule["rule"]
            assert step.get("action", "action_listen") in known, rule["rule"]


def test_every_intent_is_understood_inside_and_outside_of_each_form() -> None:
    # No rule would mean silence or Rasa's fallback.
    forms = [form for domain in DOMAINS.values() for form in domain.get("forms") or {}]
    reached: dict[str | None, set[str]] = {None: set(), **{form: set() for form in forms}}
    for rule in RULES:
        form = next((c["active_loop"] for c in rule.get("condition", []) if "active_loop" in c), None)
        for step in rule["steps"]:
            reached[form] |= {each["intent"] for each in step.get("or", [step]) if "intent" in each}
    for form, intents in reached.items():
        assert set(names("intents")) - intents == set(), form


def test_every_slot_of_a_form_is_asked_with_a_turn_that_names_it() -> None:
    said = dict(responses())
    for domain in DOMAINS.values():
        for form, options in (domain.get("forms") or {}).items():
            for slot in options["required_slots"]:
                for variant in said[f"utter_ask_{slot}"]:
                    turn = variant["custom"]
                    assert (turn["kind"], turn["outcome"]) == ("turn", "form")
                    assert (turn["form"], turn["requested"]) == (form.removesuffix("_form"), slot)


def test_the_machine_says_that_it_is_one() -> None:
    words = {
        "en": "machine",
        "vi": "máy",
        "zh": "机器",
        "ko": "기계",
        "ja": "機械",
        "fr": "machine",
        "ru": "машина",
    }
    said = dict(responses())
    for name in ("utter_greet", "utter_help"):
        for variant in said[name]:
            assert words[language_of(variant)] in variant["text"].lower()


def test_emergency_numbers_come_first_in_every_language() -> None:
    for variant in dict(responses())["utter_emergency"]:
        lines = variant["text"].splitlines()
        assert [line[:3] for line in lines[1:5]] == ["113", "114", "115", "112"]


def test_main_intents_have_twelve_examples_in_each_language() -> None:
    counted: dict[tuple[str, str], int] = {}
    for file in (ROOT / "nlu" / "training").glob("*.yml"):
        language = intent = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("  # "):
                language = line[4:]
            elif line.startswith("  - intent: "):
                intent = line.removeprefix("  - intent: ")
            elif line.startswith("      - "):
                counted[intent, language] = counted.get((intent, language), 0) + 1
    # Press requests are learnt in more languages than we speak.
    kinds = {*CODES, "vi, typed without diacritics"}
    for intent in ("ask", "press", "human", "investment", "complaint", "emergency", "greet", "help", "thanks"):
        for kind in kinds:
            assert counted.get((intent, kind), 0) >= 12, (intent, kind)


def test_no_wording_in_actions() -> None:
    for file in (ROOT / "actions").glob("*.py"):
        assert "utter_message(text" not in file.read_text(encoding="utf-8"), file
