"""The knowledge base as editors work on it: real forms, real publishing, versions counted once."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.forms import BaseForm
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from knowledge.importer import export_folder, import_folder
from knowledge.models import Entry, KnowledgeState, Translation


def address(model: str, name: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_knowledge_{model}:{name}", args=args)


def values(form: BaseForm) -> dict[str, Any]:
    """Return what a browser sends back for a form that nobody touched."""
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is False or value is None:
            continue
        sent[bound.html_name] = "on" if value is True else value
    for formset in getattr(form, "formsets", {}).values():
        for part in (formset.management_form, *formset.forms):
            sent |= {key: value for key, value in values(part).items() if value not in (None, "")}
    return sent


def edit(browser: Client, row: Any, *, action: str | None = "publish", **changes: Any) -> Any:
    """Change some fields in the edit page of an entry or a translation and press a button."""
    page = address(row._meta.model_name, "edit", row.pk)
    data = values(browser.get(page).context["form"]) | changes
    data = {key: value for key, value in data.items() if value is not None}
    if action:
        data[f"action-{action}"] = action
    response = browser.post(page, data)
    if response.status_code != 302:
        form = response.context["form"]
        raise AssertionError((form.errors, [each.errors for each in getattr(form, "formsets", {}).values()]))
    row.refresh_from_db()
    return row


@pytest.fixture
def vi(entry: Entry) -> Translation:
    return entry.translations.get(language="vi")


@pytest.fixture
def en(entry: Entry) -> Translation:
    return entry.translations.get(language="en")


def old(row: Translation) -> bool:
    return row.out_of_date(Translation.objects.filter(entry=row.entry_id))


def test_publishing_an_edit_changes_what_readers_see_and_counts_once(as_user, editor, vi):
    before = KnowledgeState.current()
    edit(as_user(editor), vi, answer="8:00–18:00")
    assert (vi.answer, vi.live, vi.has_unpublished_changes) == ("8:00–18:00", True, False)
    assert (vi.version, vi.major_version) == (2, 1)
    assert KnowledgeState.current() > before
    assert vi.revisions.count() == 2
    edit(as_user(editor), vi, answer="9:00–18:00")
    assert vi.version == 3


def test_a_draft_changes_nothing_readers_see(as_user, editor, vi):
    before = KnowledgeState.current()
    edit(as_user(editor), vi, action=None, answer="a draft")
    assert (vi.answer, vi.version, vi.has_unpublished_changes) == ("7:00–17:30", 1, True)
    assert KnowledgeState.current() == before, "a draft must not rebuild the index"
    edit(as_user(editor), vi, answer="a draft, finished")
    assert (vi.answer, vi.version) == ("a draft, finished", 2)


def test_publishing_without_a_change_of_text_keeps_the_version(as_user, editor, vi):
    edit(as_user(editor), vi, significance="major")
    assert (vi.version, vi.major_version) == (1, 1)


def test_a_major_edit_puts_translations_out_of_date_until_they_are_confirmed(as_user, editor, vi, en):
    browser = as_user(editor)
    edit(browser, vi, answer="Đóng cửa.", significance="major")
    assert (vi.version, vi.major_version) == (2, 2)
    assert old(en)
    listed = browser.get(address("translation", "list")).content.decode()
    assert "đã cũ / out of date" in listed
    assert "out of date" in browser.get(address("entry", "edit", vi.entry_id)).content.decode()
    form = browser.get(address("translation", "edit", en.pk)).context["form"]
    assert form["matches_original"].value() is False
    edit(browser, en, answer="Closed", matches_original=None)
    assert old(en), "an edit alone does not say that a translation has caught up"
    edit(browser, en, answer="Closed.", matches_original="on")
    assert (en.source_version, old(en)) == (2, False)


def test_a_significance_is_chosen_anew_for_every_edit(as_user, editor, vi):
    browser = as_user(editor)
    edit(browser, vi, answer="A", significance="major")
    assert (
        browser.get(address("translation", "edit", vi.pk)).context["form"]["significance"].value() == "minor"
    )
    edit(browser, vi, action=None, answer="B", significance="major")
    assert (
        browser.get(address("translation", "edit", vi.pk)).context["form"]["significance"].value() == "major"
    )


def test_an_old_revision_put_back_counts_on_from_the_present(as_user, editor, vi):
    first = vi.live_revision
    for number in range(3):
        edit(as_user(editor), vi, answer=f"text {number}", significance="major")
    assert (vi.version, vi.major_version) == (4, 4)
    first.publish(user=editor)
    vi.refresh_from_db()
    assert (vi.answer, vi.version, vi.major_version) == ("7:00–17:30", 5, 4)


def test_a_text_taken_down_and_published_again_keeps_its_version(as_user, editor, vi):
    edit(as_user(editor), vi, answer="A")
    vi.unpublish()
    vi.refresh_from_db()
    first = vi.revisions.order_by("pk").first()
    first.publish()
    vi.refresh_from_db()
    assert (vi.live, vi.version) == (True, 2)


def test_a_scheduled_publication_counts_when_it_happens(as_user, editor, vi):
    vi.answer = "from Monday"
    vi.go_live_at = timezone.now() + dt.timedelta(hours=1)
    vi.save_revision().publish()
    vi.refresh_from_db()
    assert (vi.answer, vi.version) == ("7:00–17:30", 1)
    revision = vi.revisions.get(approved_go_live_at__isnull=False)
    revision.approved_go_live_at = revision.content["go_live_at"] = timezone.now() - dt.timedelta(minutes=1)
    revision.content["go_live_at"] = revision.content["go_live_at"].isoformat()
    revision.save()
    call_command("publish_scheduled", stdout=StringIO())
    vi.refresh_from_db()
    assert (vi.answer, vi.version) == ("from Monday", 2)


def test_the_importer_and_the_console_count_once_each(as_user, editor, entry, vi, tmp_path):
    export_folder(tmp_path)
    file = tmp_path / "tourism" / f"{entry.slug}.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("7:00–17:30", "6:00–17:30"), encoding="utf-8")
    report = import_folder(tmp_path, replace=True)
    assert report.updated == [entry.slug]
    vi.refresh_from_db()
    assert (vi.answer, vi.version) == ("6:00–17:30", 2)
    assert edit(as_user(editor), vi, answer="5:00–17:30").version == 3


def test_a_new_translation_starts_from_the_links_of_its_entry(as_user, editor, entry, vi):
    browser = as_user(editor)
    text = browser.get(address("entry", "edit", entry.pk)).content.decode()
    link = f"{address('translation', 'add')}?entry={entry.pk}&amp;language=ko&amp;source_language=vi"
    assert link in text
    assert address("translation", "edit", vi.pk) in text
    form = browser.get(link.replace("&amp;", "&")).context["form"]
    assert [form[name].value() for name in ("entry", "language", "source_language")] == [entry.pk, "ko", "vi"]
    data = values(form) | {"question": "언제 열어요?", "answer": "7:00–17:30", "action-publish": "1"}
    assert browser.post(address("translation", "add"), data).status_code == 302
    korean = entry.translations.get(language="ko")
    assert (korean.live, korean.version, korean.source_version) == (True, 1, 1)


def test_the_address_of_a_new_translation_may_hold_nonsense(as_user, editor, entry):
    response = as_user(editor).get(
        address("translation", "add"), {"entry": "x'", "language": "xx", "source_language": "?"}
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"answer": "x" * 601}, "answer"),
        ({"source_language": "ru"}, "source_language"),
        ({"source_language": "vi"}, "source_language"),
        ({"language": "en"}, "__all__"),
    ],
)
def test_a_wrong_translation_is_refused_with_a_reason(as_user, editor, vi, en, changes, field):
    with pytest.raises(AssertionError) as refused:
        edit(as_user(editor), vi, **changes)
    assert field in refused.value.args[0][0]
    vi.refresh_from_db()
    assert vi.version == 1


def test_an_entry_is_edited_with_one_name_a_line(as_user, editor, entry):
    browser = as_user(editor)
    assert browser.get(address("entry", "edit", entry.pk)).context["form"]["aliases"].value() == "chùa"
    edit(browser, entry, aliases="chùa\r\n\r\n Vĩnh Tràng \r\nchùa", priority="55")
    assert (entry.aliases, entry.priority, entry.live) == (["chùa", "Vĩnh Tràng"], 55, True)
    assert entry.sources.count() == 1


def test_an_entry_with_half_a_coordinate_is_refused(as_user, editor, entry):
    with pytest.raises(AssertionError, match="latitude"):
        edit(as_user(editor), entry, latitude="10.3")


@pytest.mark.parametrize(
    ("query", "count"), [("chua vinh trang", 1), ("OPEN", 1), ("pagoda", 2), ("nothing", 0)]
)
def test_the_list_is_searched_without_accents_and_case(as_user, editor, entry, query, count):
    response = as_user(editor).get(address("translation", "list"), {"q": query, "entry__category": "tourism"})
    assert len(response.context["object_list"]) == count


def test_lists_show_what_an_editor_looks_for(as_user, editor, entry):
    browser = as_user(editor)
    text = browser.get(address("entry", "list")).content.decode()
    assert "01/11/2026" in text
    assert (
        browser.get(address("entry", "list"), {"live": "true", "category": "food"})
        .context["object_list"]
        .count()
        == 0
    )
    assert browser.get(address("translation", "list"), {"language": "en"}).context["object_list"].count() == 1


def test_a_head_gives_a_department_its_kinds_of_ticket(as_user, person, entry):
    head = person("head", "knowledge.view_department", "knowledge.change_department")
    office = entry.department
    page = address("department", "edit", office.pk)
    data = values(as_user(head).get(page).context["form"]) | {"handles": ["press", "other"]}
    assert as_user(head).post(page, data).status_code == 302
    office.refresh_from_db()
    assert office.handles == ["press", "other"]


def test_somebody_with_tickets_alone_does_not_get_at_the_knowledge_base(as_user, press, entry, vi):
    response = as_user(press).get(address("translation", "edit", vi.pk))
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("wagtailadmin_home")


def test_a_new_entry_saved_too_early_says_what_is_missing(as_user, editor, entry):
    browser = as_user(editor)
    data = values(browser.get(address("entry", "add")).context["form"]) | {"slug": "new-one"}
    response = browser.post(address("entry", "add"), data)
    assert response.status_code == 200
    assert {"department", "verified_on"} <= set(response.context["form"].errors)
    assert not Entry.objects.filter(slug="new-one").exists()
