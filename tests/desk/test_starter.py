"""The starter content says of itself that the city must approve it, and those who may do so in one step."""

from __future__ import annotations

import pytest
from django.urls import reverse
from wagtail.models import ModelLogEntry

from knowledge import starter
from knowledge.importer import export_entries, export_folder, import_folder
from knowledge.models import Entry, KnowledgeState

NOTICE = "soạn từ nguồn công khai"
pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(entry, tmp_path):
    """The tests' entry as an import leaves it."""
    export_folder(tmp_path)
    Entry.objects.all().delete()
    import_folder(tmp_path)
    return Entry.objects.get(slug=entry.slug)


def ask(browser, *entries, press=False):
    page = reverse("wagtail_bulk_action", args=["knowledge", "entry", "approve"])
    page += "?" + "&".join(f"id={each.pk}" for each in entries) + "&next=/"
    return browser.post(page) if press else browser.get(page)


def test_the_first_page_says_how_much_nobody_has_approved(as_user, editor, imported):
    page = as_user(editor).get(reverse("wagtailadmin_home")).content.decode()
    assert NOTICE in page
    assert "1 entries nobody has approved yet" in page
    found = as_user(editor).get(reverse("wagtailsnippets_knowledge_entry:list") + "?starter=waiting").content.decode()
    assert imported.slug in found
    none = as_user(editor).get(reverse("wagtailsnippets_knowledge_entry:list") + "?starter=approved").content.decode()
    assert imported.slug not in none


def test_approved_as_it_is_nothing_changes_for_readers(as_user, editor, imported):
    before, revision = list(export_entries()), KnowledgeState.current()
    assert imported.slug in ask(as_user(editor), imported).content.decode()
    ask(as_user(editor), imported, press=True)
    assert not starter.waiting().exists()
    assert NOTICE not in as_user(editor).get(reverse("wagtailadmin_home")).content.decode()
    assert list(export_entries()) == before
    assert KnowledgeState.current() == revision, "nothing is encoded again"
    for text in imported.translations.all():
        assert text.live_revision.user == editor
        assert not text.has_unpublished_changes
    names = set(ModelLogEntry.objects.filter(action="wagtail.publish", user=editor).values_list("label", flat=True))
    assert len(names) == imported.translations.count() + 1


def test_a_text_with_a_draft_waits_for_the_draft(as_user, editor, imported):
    text = imported.translations.get(language="vi")
    text.answer = "Một câu khác."
    text.save_revision(user=editor)
    ask(as_user(editor), imported, press=True)
    assert list(starter.waiting()) == [imported]
    text.refresh_from_db()
    assert text.has_unpublished_changes
    assert text.live_revision.user is None


def test_what_the_press_office_must_agree_to_is_not_approved_by_one(as_user, editor, imported):
    Entry.objects.filter(pk=imported.pk).update(statement=True)
    ask(as_user(editor), imported, press=True)
    assert list(starter.waiting()) == [imported]


def test_an_author_approves_nothing(as_user, person, imported):
    ask(as_user(person("author")), imported, press=True)
    assert list(starter.waiting()) == [imported]


def test_an_import_does_not_take_an_approval_for_an_edit(as_user, editor, imported, tmp_path):
    ask(as_user(editor), imported, press=True)
    export_folder(tmp_path / "again")
    assert import_folder(tmp_path / "again").unchanged == [imported.slug]
