"""The web chat's texts: each in every language, each used, each used one written; what its pages promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from nlu.languages import CODES, LANGUAGES

WEB = Path(__file__).resolve().parents[2] / "bot" / "web"
TEXTS: dict[str, dict[str, str]] = yaml.safe_load((WEB / "texts.yml").read_text(encoding="utf-8"))
PAGES = ("index.html",)
SCRIPTS = sorted(file.name for file in WEB.glob("*.js"))


def read(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def used_keys() -> set[str]:
    in_pages = {key for page in PAGES for key in re.findall(r'data-text(?:-[a-z]+)?="(\w+)"', read(page))}
    call = re.compile(r'[tT]ext(?:Parts)?\(\s*"(\w+)"')
    in_scripts = {key for script in SCRIPTS for key in call.findall(read(script))}
    return in_pages | in_scripts


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("key", TEXTS)
def test_every_key_is_written_in_every_language(key):
    assert tuple(TEXTS[key]) == CODES
    assert all(text.strip() == text != "" for text in TEXTS[key].values())


@pytest.mark.parametrize("key", TEXTS)
def test_the_languages_of_a_key_have_the_same_placeholders(key):
    assert {code: placeholders(text) for code, text in TEXTS[key].items()} == {
        code: placeholders(TEXTS[key]["en"]) for code in CODES
    }


def test_every_key_that_is_used_is_written():
    assert used_keys() - TEXTS.keys() == set()


def test_every_key_that_is_written_is_used():
    assert TEXTS.keys() - used_keys() == set()


def test_no_key_is_written_twice():
    keys = re.findall(r"^(\w+):", read("texts.yml"), flags=re.MULTILINE)
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("page", PAGES)
def test_the_language_menu_is_the_one_list_of_languages(page):
    options = re.findall(r'<option value="(\w+)" lang="(\w+)">(.+?)</option>', read(page))
    assert options == [(language.code, language.code, language.name) for language in LANGUAGES]


def test_the_embedded_page_is_the_page_with_a_class():
    # bot/app.py gives the body its class in the widget's frame: there has to be one place for it.
    assert read("index.html").count("<body>") == 1


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_need_nothing_that_the_content_policy_forbids(page):
    html = read(page)
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r'(?:src|href)="(?!/static/|#)[^"]*"', html) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_data_never_becomes_markup(script):
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    assert re.findall(markup, read(script)) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_element_that_a_script_asks_for_is_on_the_page(script):
    ids = set(re.findall(r'\$\("([\w-]+)"\)|getElementById\("([\w-]+)"\)', read(script)))
    asked = {first or second for first, second in ids}
    assert asked - set(re.findall(r'\sid="([\w-]+)"', read("index.html"))) == set()


def test_the_limit_that_is_counted_is_the_limit_that_is_read():
    from nlu.text import MAX_LENGTH

    limit = re.search(r"const LIMIT = ([\d_]+)", read("composer.js"))
    assert limit is not None
    assert int(limit[1].replace("_", "")) == MAX_LENGTH


def test_the_person_button_says_what_the_desk_calls_it():
    channel_texts = yaml.safe_load((WEB.parent / "texts.yml").read_text(encoding="utf-8"))
    assert TEXTS["person_button"] == channel_texts["talk_to_person"]
