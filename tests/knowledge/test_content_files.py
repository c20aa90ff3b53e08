from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from knowledge.content_files import ContentError, read_folder
from knowledge.importer import export_folder, import_folder
from knowledge.models import Category, Entry, KnowledgeState, Translation
from nlu.languages import CODES

CONTENT = Path(__file__).resolve().parents[2] / "knowledge" / "content"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of two real entries and the departments."""
    for name in ("departments.yml", "tourism/vinh-trang-opening-hours.yml", "food/bun-goi-gia.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CONTENT / name, tmp_path / name)
    return tmp_path


def change(folder: Path, old: str, new: str) -> Path:
    file = folder / "food" / "bun-goi-gia.yml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def test_the_starter_content_covers_every_topic_in_two_languages_and_twenty_entries_in_all():
    _, entries = read_folder(CONTENT)
    assert len(entries) >= 60
    assert {each["category"] for each in entries} == set(Category.values)
    assert all({"vi", "en"} <= set(each["translations"]) for each in entries)
    assert sum(set(each["translations"]) == set(CODES) for each in entries) >= 20


@pytest.mark.django_db
def test_import_then_export_gives_every_file_back_byte_for_byte(tmp_path: Path):
    report = import_folder(CONTENT)
    assert len(report.created) == len(list(CONTENT.glob("*/*.yml")))
    export_folder(tmp_path)
    for file in CONTENT.rglob("*.yml"):
        exported = (tmp_path / file.relative_to(CONTENT)).read_text(encoding="utf-8")
        assert exported == file.read_text(encoding="utf-8"), file


@pytest.mark.django_db
def test_a_second_import_changes_nothing(folder: Path):
    import_folder(folder)
    revision = KnowledgeState.current()
    report = import_folder(folder)
    assert sorted(report.unchanged) == ["bun-goi-gia", "vinh-trang-opening-hours"]
    assert KnowledgeState.current() == revision


@pytest.mark.django_db
def test_what_editors_changed_is_kept_unless_replace_is_given(folder: Path):
    import_folder(folder)
    Translation.objects.filter(entry__slug="bun-goi-gia", language="vi").update(answer="Sửa trong bàn làm việc.")
    assert import_folder(folder).kept == ["bun-goi-gia"]
    assert Translation.objects.get(entry__slug="bun-goi-gia", language="vi").answer == "Sửa trong bàn làm việc."
    assert import_folder(folder, replace=True).updated == ["bun-goi-gia"]
    row = Translation.objects.get(entry__slug="bun-goi-gia", language="vi")
    assert row.answer != "Sửa trong bàn làm việc."
    assert row.live_revision == row.latest_revision is not None


@pytest.mark.django_db
def test_what_only_its_file_has_changed_is_updated(folder: Path):
    import_folder(folder)
    change(folder, "phone: null", "phone: 0273 1234")
    report = import_folder(folder)
    assert (report.updated, report.kept) == (["bun-goi-gia"], [])
    assert Entry.objects.get(slug="bun-goi-gia").phone == "0273 1234"


@pytest.mark.django_db
@pytest.mark.parametrize("touch", ["withdrawn", "drafted", "published"])
def test_what_was_withdrawn_drafted_or_published_in_the_console_is_kept(folder: Path, touch: str, django_user_model):
    import_folder(folder)
    change(folder, "phone: null", "phone: 0273 1234")
    row = Translation.objects.get(entry__slug="bun-goi-gia", language="vi")
    if touch == "withdrawn":
        row.unpublish()
    else:
        row.answer = "Trong bàn làm việc."
        revision = row.save_revision(user=django_user_model.objects.create_user("editor"))
        if touch == "published":
            revision.publish()
    assert import_folder(folder).kept == ["bun-goi-gia"]


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new", "line", "message"), [
    ("category: food", "category: drinks", 2, "category 'drinks' unknown; choose one of tourism"),
    ("slug: bun-goi-gia", "slug: other", 1, "differs from the file's name 'bun-goi-gia'"),
    ("verified_on: 2026-11-22", "verified_on: yesterday", 8, "verified_on 'yesterday': give a date"),
    ("department: promotion", "department: nobody", 3, "department 'nobody' is not in departments.yml"),
    ("aliases:", "aliasses:", 1, "aliases is missing"),
    ("  en:", "  xx:", None, "language 'xx' unknown"),
    ("priority: ", "priority: '", None, "correct the YAML"),
])
def test_a_bad_file_is_refused_with_its_line_and_nothing_is_imported(folder, old, new, line, message):
    change(folder, old, new)
    with pytest.raises(ContentError) as problem:
        import_folder(folder)
    assert message in str(problem.value)
    where = f"food/bun-goi-gia.yml:{line}:" if line else "food/bun-goi-gia.yml:"
    assert where in str(problem.value)
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_every_problem_of_every_file_is_told_at_once(folder: Path):
    change(folder, "category: food", "category: drinks")
    other = folder / "tourism" / "vinh-trang-opening-hours.yml"
    other.write_bytes(b"\xff\xfe not utf-8")
    with pytest.raises(ContentError) as problem:
        read_folder(folder)
    assert "drinks" in str(problem.value)
    assert "not UTF-8" in str(problem.value)


def test_a_key_given_twice_is_refused(folder: Path):
    change(folder, "category: food\n", "category: food\ncategory: tourism\n")
    with pytest.raises(ContentError, match=r"bun-goi-gia.yml:3: key 'category' twice"):
        read_folder(folder)


def test_an_answer_too_long_for_one_message_is_refused(folder: Path):
    file = folder / "food" / "bun-goi-gia.yml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["translations"]["vi"]["answer"] = "a" * 601
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with pytest.raises(ContentError, match="vi: answer has 601 characters, at most 600"):
        read_folder(folder)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(ContentError, match="no such folder"):
        read_folder(tmp_path / "nowhere")
