"""The page "Import and export": a preview first, then drafts; what is public stays."""

from __future__ import annotations

import io
import os
import time
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from docx import Document
from openpyxl import load_workbook

from desk import staging
from knowledge.exchange import drafts, sheet
from knowledge.exchange.columns import named
from knowledge.importer import export_folder
from knowledge.models import Department, Entry, KnowledgeState, Member, Translation

pytestmark = pytest.mark.django_db
OPTIONS = {"language": "vi", "category": "food", "department": "tourism"}
DOCX = "Chợ đêm ở đâu?"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.EXCHANGE_ROOT = tmp_path / "exchange"


@pytest.fixture
def author(person):
    rights = [f"knowledge.{verb}_{model}" for verb in ("add", "change") for model in ("entry", "translation")]
    return person("author", *rights)


def upload(browser, name, data, **options):
    file = SimpleUploadedFile(name, data)
    return browser.post(reverse("desk_exchange:upload"), {**OPTIONS, **options, "file": file}, follow=True)


def document(*pairs):
    made = Document()
    for question, answer in pairs:
        made.add_heading(question, level=1)
        made.add_paragraph(answer)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def confirm(response, browser, capture):
    token = response.redirect_chain[-1][0].rstrip("/").rpartition("/")[2]
    with capture(execute=True):
        return browser.post(reverse("desk_exchange:confirm", args=[token]), follow=True).content.decode()


def edited(data, slug, **texts):
    """Return a workbook with cells of the English row of an entry changed, found by their headings' keys."""
    book = load_workbook(io.BytesIO(data))
    heads = {named(cell.value): cell.column - 1 for cell in book.active[1]}
    for row in book.active.iter_rows(min_row=2):
        if (row[heads["slug"]].value, row[heads["language"]].value) == (slug, "en"):
            for key, text in texts.items():
                row[heads[key]].value = text
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_document_is_shown_first_and_becomes_drafts_when_confirmed(
    as_user, author, entry, settings, django_capture_on_commit_callbacks
):
    browser = as_user(author)
    response = upload(browser, "hỏi đáp.docx", document((DOCX, "Ở bờ sông Tiền."), ("Dài?", "a" * 601)))
    text = response.content.decode()
    assert DOCX in text
    assert "601 characters, at most 600; shorten it." in text
    assert Entry.objects.count() == 1
    assert len([*settings.EXCHANGE_ROOT.iterdir()]) == 2
    text = confirm(response, browser, django_capture_on_commit_callbacks)
    assert "1 new entries, 0 changed entries, 1 texts" in text
    made = Entry.objects.get(slug="cho-dem-o-dau")
    assert (made.live, made.category, made.department.slug) == (False, "food", "tourism")
    assert made.latest_revision.user == author
    assert [*settings.EXCHANGE_ROOT.iterdir()] == []
    # The token is used up.
    assert "no longer kept" in confirm(response, browser, django_capture_on_commit_callbacks)
    assert Entry.objects.count() == 2


def test_what_is_live_stays_and_the_file_is_its_newest_draft(
    as_user, author, entry, django_capture_on_commit_callbacks
):
    browser = as_user(author)
    exported = browser.get(reverse("desk_exchange:table"))
    assert exported.headers["Content-Disposition"].endswith('.xlsx"')
    response = upload(browser, "t.xlsx", edited(exported.content, entry.slug, answer="8:00–17:30"))
    text = response.content.decode()
    assert "8:00–17:30" in text
    assert "7:00–17:30" in text  # what readers are told now
    confirm(response, browser, django_capture_on_commit_callbacks)
    row = entry.translations.get(language="en")
    assert (row.live, row.answer, row.has_unpublished_changes) == (True, "7:00–17:30", True)
    assert row.get_latest_revision_as_object().answer == "8:00–17:30"
    # A draft that was there keeps its place in the history.
    response = upload(browser, "t.xlsx", edited(exported.content, entry.slug, answer="9:00–17:30"))
    assert "There is a draft already" in response.content.decode()
    confirm(response, browser, django_capture_on_commit_callbacks)
    answers = [each.as_object().answer for each in row.revisions.order_by("pk")]
    assert answers == ["7:00–17:30", "8:00–17:30", "9:00–17:30"]


def test_an_author_brings_nothing_into_another_department(as_user, author, entry, django_capture_on_commit_callbacks):
    Member.objects.create(user=author, department=Department.objects.create(slug="home", name_vi="N", name_en="Home"))
    browser = as_user(author)
    data = sheet.xlsx(sheet.everything())
    # Not even by saying that it is theirs.
    for change in ({"answer": "8:00"}, {"answer": "8:00", "department": "home"}, {"department": "home"}):
        response = upload(browser, "t.xlsx", edited(data, entry.slug, **change))
        text = response.content.decode()
        assert "Make drafts of" not in text
        confirm(response, browser, django_capture_on_commit_callbacks)
    response = upload(browser, "n.docx", document((DOCX, "Ở bờ sông.")))
    assert "belongs to another department" in response.content.decode()
    confirm(response, browser, django_capture_on_commit_callbacks)
    assert not Translation.objects.filter(has_unpublished_changes=True).exists()
    assert Entry.objects.count() == 1
    upload_home = upload(browser, "n.docx", document((DOCX, "Ở bờ sông.")), department="home")
    confirm(upload_home, browser, django_capture_on_commit_callbacks)
    assert Entry.objects.get(slug="cho-dem-o-dau").department.slug == "home"


def test_what_is_locked_is_left_out(as_user, author, editor, entry):
    entry.translations.filter(language="en").update(locked=True, locked_by=editor)
    data = edited(sheet.xlsx(sheet.everything()), entry.slug, answer="8:00–17:30")
    text = upload(as_user(author), "t.xlsx", data).content.decode()
    assert "Locked or waiting for approval" in text
    assert "Make drafts of" not in text


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.exe", b"MZ\0\0", "Only XLSX, CSV, DOCX"),
        ("a.xlsx", b"<html>", "Only XLSX, CSV, DOCX"),
        ("a.csv", b"\x00\x01binary", "Only XLSX, CSV, DOCX"),
        ("a.csv", b"a,b\n1,2\n", "No row of headings found"),
        ("a.csv", b"question,answer\n\xff\xe2,b\n", "not UTF-8"),
        ("a.html", b"<p>nothing</p>", "No headings found"),
        ("a.html", b"x" * (1024 * 1024 + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(as_user, editor, entry, settings, name, data, said):
    settings.FILES_MAX_MB = 1
    assert said in upload(as_user(editor), name, data).content.decode()
    assert Entry.objects.count() == 1


def test_macros_and_archives_that_blow_up_are_refused(as_user, editor, entry, monkeypatch):
    with_macro = io.BytesIO(sheet.xlsx([]))
    with ZipFile(with_macro, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    browser = as_user(editor)
    assert "without macros" in upload(browser, "m.xlsx", with_macro.getvalue()).content.decode()
    assert "changes nothing" in upload(browser, "m.xlsx", sheet.xlsx([])).content.decode()
    monkeypatch.setattr(staging, "MAX_UNPACKED", 100)
    assert "Only XLSX" in upload(browser, "m.xlsx", sheet.xlsx([])).content.decode()


def test_what_nobody_confirms_is_gone_after_a_day(settings):
    token = staging.keep("a.csv", b"question,answer\n", OPTIONS)
    assert staging.find(token).options == OPTIONS
    for file in settings.EXCHANGE_ROOT.iterdir():
        os.utime(file, (time.time() - 25 * 3600,) * 2)
    other = staging.keep("a.csv", b"question,answer\n", OPTIONS)
    assert staging.find(token) is None
    assert staging.find(other) is not None
    assert staging.find("../../secret_key") is None


def test_everything_as_files_is_what_the_command_writes(as_user, editor, entry, tmp_path):
    response = as_user(editor).get(reverse("desk_exchange:files"))
    export_folder(tmp_path / "out")
    with ZipFile(io.BytesIO(response.content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    files = (tmp_path / "out").rglob("*.yml")
    assert found == {str(file.relative_to(tmp_path / "out")): file.read_bytes() for file in files}
    assert f"tourism/{entry.slug}.yml" in found


def test_translators_are_sent_what_is_missing(as_user, editor, entry):
    browser = as_user(editor)
    response = browser.get(reverse("desk_exchange:missing"), {"language": "ko"})
    page = load_workbook(io.BytesIO(response.content)).active
    assert [row[0].value for row in page.iter_rows(min_row=2)] == [entry.slug]
    response = browser.get(reverse("desk_exchange:missing"), {"language": "en"})
    assert load_workbook(io.BytesIO(response.content)).active.max_row == 1
    before = KnowledgeState.current()
    assert "Choose a language" in browser.get(reverse("desk_exchange:missing"), follow=True).content.decode()
    assert KnowledgeState.current() == before


def test_a_large_file_is_worked_off_in_parts(as_user, author, entry, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(drafts, "AT_ONCE", 3)
    browser = as_user(author)
    response = upload(browser, "n.docx", document(*((f"Cầu số {n} ở đâu?", "Ở đây.") for n in range(5))))
    for made, left in ((2, 3), (4, 1), (5, 0)):
        text = confirm(response, browser, django_capture_on_commit_callbacks)
        assert Entry.objects.count() == 1 + made
        assert Translation.objects.filter(live=False).count() == made
        assert (f"{left} entries are left" in text) == bool(left)
    assert "no longer kept" in confirm(response, browser, django_capture_on_commit_callbacks)
