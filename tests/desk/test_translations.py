"""Translations side by side, what waits in a language, every entry at a glance; what a text does not share."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from knowledge.models import Department, Entry, Translation
from knowledge.translating import counts, differences, missing, status, waiting


@pytest.fixture
def vi(entry):
    return entry.translations.get(language="vi")


@pytest.fixture
def en(entry):
    return entry.translations.get(language="en")


def major(text):
    text.answer, text.significance = "Mở từ 6:30 đến 17:30.", "major"
    text.save_revision().publish()


def of(language):
    return next(each for each in counts() if each.language == language)


def test_the_counts_follow_what_happens_to_texts(vi, en):
    assert (of("en").here, of("en").missing, of("en").outdated, of("en").drafts) == (1, 0, 0, 0)
    assert (of("fr").here, of("fr").missing) == (0, 1)
    major(vi)
    assert of("en").outdated == 1
    en.refresh_from_db()
    en.answer = "From 6:30 to 17:30."
    en.save_revision()
    assert of("en").drafts == 1


def test_what_waits_is_listed_with_the_most_important_first(entry, vi, en):
    Entry.objects.create(
        slug="sos", category="practical", department=entry.department, verified_on=dt.date(2026, 11, 1), priority=90
    )
    assert [each.slug for each in missing("ko")] == ["sos", entry.slug]
    assert [each.slug for each in missing("en")] == ["sos"]
    major(vi)
    assert [each.pk for each in waiting("outdated", "en")] == [en.pk]
    assert [each.pk for each in waiting("here", "vi")] == [vi.pk]
    assert not waiting("drafts", "en").exists()


def test_a_row_has_a_state_for_each_language(entry, vi):
    ((_, states),) = status([entry])
    assert [(code, kind) for code, kind, _ in states][:3] == [("vi", "here"), ("en", "here"), ("zh", "missing")]
    major(vi)
    ((_, states),) = status([Entry.objects.get(pk=entry.pk)])
    assert {code: kind for code, kind, _ in states}["en"] == "outdated"


def test_the_pages_lead_to_the_forms_and_remember_the_language(as_user, editor, entry):
    browser = as_user(editor)
    page = browser.get(reverse("knowledge_translations:index"), {"language": "ko"}).content.decode()
    adding = reverse("wagtailsnippets_knowledge_translation:add")
    assert f"{adding}?entry={entry.pk}&amp;language=ko&amp;source_language=vi" in page
    assert "Chùa Vĩnh Tràng mở cửa lúc nào?" in page
    assert "한국어" in browser.get(reverse("knowledge_translations:index")).content.decode().split("<h2>")[1]
    Department.objects.create(slug="police", name_vi="Công an", name_en="Police")
    narrowed = browser.get(reverse("knowledge_translations:index"), {"department": "police"}).content.decode()
    assert entry.slug not in narrowed
    table = browser.get(reverse("knowledge_translations:table")).content.decode()
    assert table.count("tl-state--here") >= 2
    assert table.count("tl-state--missing") >= 5


def test_the_form_shows_the_original_beside_each_field(as_user, editor, vi, en):
    browser = as_user(editor)
    page = browser.get(reverse("wagtailsnippets_knowledge_translation:edit", args=[en.pk])).content.decode()
    assert page.count('class="tl-source"') == 3
    assert "Chùa Vĩnh Tràng mở cửa lúc nào?" in page
    page = browser.get(reverse("wagtailsnippets_knowledge_translation:edit", args=[vi.pk])).content.decode()
    assert 'class="tl-source"' not in page
    adding = reverse("wagtailsnippets_knowledge_translation:add")
    page = browser.get(adding, {"entry": vi.entry_id, "language": "ko", "source_language": "vi"}).content.decode()
    assert page.count('class="tl-source"') == 3


def test_a_number_that_the_original_does_not_state_is_pointed_out(as_user, editor, vi, en):
    assert differences(en) == []
    en.answer = "7:00–18:45"
    assert [rule for rule, _ in differences(en)] == ["numbers"]
    browser = as_user(editor)
    address = reverse("wagtailsnippets_knowledge_translation:edit", args=[en.pk])
    data = {
        "entry": en.entry_id, "language": "en", "question": "When?", "other_questions": "", "answer": "7:00–18:45",
        "significance": "minor", "source_language": "vi", "matches_original": "on",
    }  # fmt: skip
    browser.post(address, data)
    page = browser.get(address).content.decode()
    assert "Differs from the original" in page
    assert "45" in page.split("Differs from the original")[1][:300]
    answer = browser.post(address, data | {"action-publish": "1"})
    assert any("45" in str(each) for each in get_messages(answer.wsgi_request))
    assert Translation.objects.get(pk=en.pk).answer == "7:00–18:45"
