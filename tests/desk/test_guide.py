"""The editing guide: every chapter has its text and its picture, and every way it shows leads somewhere."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles.finders import find
from django.template.loader import get_template
from django.urls import reverse

from knowledge.views_guide import CHAPTERS

pytestmark = pytest.mark.django_db


def test_every_chapter_has_its_text_and_its_picture(as_user, editor):
    page = as_user(editor).get(reverse("knowledge_guide")).content.decode()
    for chapter in CHAPTERS:
        assert chapter.vi in page
        assert chapter.shows in page
        picture = find(f"knowledge/guide/{chapter.picture}.webp")
        assert picture, f"{chapter.picture}: run `python -m tests.pictures`"
        text = get_template(chapter.text).template.source
        assert 'lang="en"' in text, "a line of English"
        assert len(re.sub(r"<[^>]+>", "", text).split()) > 40


def test_the_pages_it_names_are_there(as_user, editor):
    browser = as_user(editor)
    page = browser.get(reverse("knowledge_guide")).content.decode()
    article = page[page.index("<article") :]
    addresses = {each for each in re.findall(r'href="([^"#]+)"', article) if each.startswith("/")}
    assert len(addresses) >= 6
    for address in addresses:
        assert browser.get(address).status_code == 200, address


def test_it_is_in_the_menu_of_those_who_edit(as_user, editor, press):
    address = reverse("knowledge_guide")
    assert address in as_user(editor).get(reverse("wagtailadmin_home")).content.decode()
    assert address not in as_user(press).get(reverse("wagtailadmin_home")).content.decode()
