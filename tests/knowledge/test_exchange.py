"""Content in and out as tables, documents and saved pages: nothing lost, nothing overwritten, each problem named."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from docx import Document
from openpyxl import Workbook, load_workbook

from knowledge.exchange import sheet
from knowledge.exchange.docx_in import read_docx
from knowledge.exchange.drafts import make_drafts
from knowledge.exchange.errors import FileError
from knowledge.exchange.html_in import read_html
from knowledge.exchange.plan import Defaults, make_plan
from knowledge.exchange.table import read_csv, read_xlsx
from knowledge.importer import export_entries, import_folder, normal
from knowledge.models import Department, Entry, Significance, Translation

pytestmark = pytest.mark.django_db
DEFAULTS = Defaults("vi", "city", "culture-information")
# Few, and of every kind: places, events, statements, phones, figures that begin with a zero.
CONTENT = settings.BASE_DIR / "knowledge" / "content"


@pytest.fixture
def content(tmp_path):
    """A part of the starter content, imported."""
    folder = tmp_path / "content"
    for source in (CONTENT / "practical" / "emergency-numbers.yml", *sorted((CONTENT / "tourism").glob("*.yml"))[:2]):
        target = folder / source.parent.name / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (folder / "departments.yml").write_bytes((CONTENT / "departments.yml").read_bytes())
    import_folder(folder)
    # What spreadsheets like to spoil.
    Entry.objects.filter(slug="emergency-numbers").update(
        phone="0273 3872 114", place_name="=1+1", aliases=["'=a", "+84", "113", "-x", "@b"], latitude=-10.25,
        longitude=106.0, event_start=dt.date(2026, 2, 1), event_repeats="lunar", sensitivity="internal", statement=True,
    )  # fmt: skip
    return [normal(data) for data in export_entries()]


@pytest.fixture
def boss():
    return get_user_model().objects.create_superuser("boss", "boss@example.org", "x")


def publish_all():
    for row in (*Entry.objects.all(), *Translation.objects.order_by("source_language")):
        row.get_latest_revision().publish()


@pytest.mark.parametrize(("write", "read"), [(sheet.xlsx, read_xlsx), (sheet.table, read_csv)], ids=["xlsx", "csv"])
def test_everything_comes_back_from_a_table_as_it_was(content, boss, write, read) -> None:
    data = write(sheet.everything())
    unchanged = make_plan(read(data), boss, DEFAULTS)
    assert [each.problems for each in unchanged.proposals if each.problems] == []
    assert unchanged.ready == []
    Entry.objects.all().delete()
    plan = make_plan(read(data), boss, DEFAULTS)
    made = make_drafts(plan, boss)
    assert (made.new, made.changed) == (len(content), 0)
    assert not Entry.objects.filter(live=True).exists()
    assert not Translation.objects.filter(live=True).exists()
    publish_all()
    assert [normal(entry) for entry in export_entries()] == content


def test_a_text_is_never_a_formula(content) -> None:
    page = load_workbook(io.BytesIO(sheet.xlsx(sheet.everything()))).active
    cells = [cell for row in page.iter_rows() for cell in row]
    assert "=1+1" in {cell.value for cell in cells}
    assert "f" not in {cell.data_type for cell in cells}
    lines = sheet.table(sheet.everything()).decode("utf-8-sig").splitlines()
    assert any(",'=1+1," in line for line in lines)


# --- translators ----------------------------------------------------------------------------------------------------
def workbook(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled_in(data, slug, question, answer):
    """Return a translators' workbook with one row filled in, as a person does it."""
    book = load_workbook(io.BytesIO(data))
    page = book.active
    heads = {cell.value.split(" / ")[-1].split(" (")[0]: cell.column for cell in page[1]}
    for row in page.iter_rows(min_row=2):
        if row[0].value == slug:
            row[heads["Question"] - 1].value, row[heads["Answer"] - 1].value = question, answer
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_translator_gets_what_is_missing_or_old_and_gives_it_back(content, boss) -> None:
    slugs = [data["slug"] for data in content]
    Translation.objects.get(entry__slug=slugs[0], language="ko").delete()
    original = Translation.objects.get(entry__slug=slugs[1], language="vi")
    original.answer, original.significance = "Đã đổi: mở cửa lúc 7 giờ 45.", Significance.MAJOR
    original.save_revision().publish()
    old = Translation.objects.get(entry__slug=slugs[1], language="ko")
    live = old.answer

    rows = [*sheet.missing("ko")]
    assert [(row["slug"], row["status"].split(" / ")[1]) for row in rows] == [
        (slugs[0], "missing"), (slugs[1], "out of date"),
    ]  # fmt: skip
    assert rows[1]["source_answer"] == "Đã đổi: mở cửa lúc 7 giờ 45."
    assert rows[1]["answer"] == live

    data = filled_in(sheet.for_translators("ko"), slugs[1], "언제 여나요?", "7시 30분에 엽니다.")
    # The original changes once more while the translator is at work: the translation that comes back is old again.
    original = Translation.objects.get(pk=original.pk)
    original.answer, original.significance = "Đóng cửa.", Significance.MAJOR
    original.save_revision().publish()
    plan = make_plan(read_xlsx(data), boss, DEFAULTS)
    assert [each.slug for each in plan.ready] == [slugs[1]]  # the other is not filled in yet
    hints = [each.text for each in plan.ready[0].problems]
    assert any("Numbers differ" in text for text in hints)
    make_drafts(plan, boss)
    assert Translation.objects.get(pk=old.pk).answer == live  # what readers see
    draft = Translation.objects.get(pk=old.pk).get_latest_revision()
    assert (draft.as_object().answer, draft.user) == ("7시 30분에 엽니다.", boss)
    draft.publish()
    published = Translation.objects.get(pk=old.pk)
    assert published.answer == "7시 30분에 엽니다."
    assert published.out_of_date(published.entry.translations.all())


def test_a_translation_of_the_newest_original_is_no_longer_out_of_date(content, boss) -> None:
    slug = content[0]["slug"]
    original = Translation.objects.get(entry__slug=slug, language="vi")
    original.answer, original.significance = "Khác hẳn.", Significance.MAJOR
    original.save_revision().publish()
    data = filled_in(sheet.for_translators("fr"), slug, "Quoi ?", "Tout autre.")
    make_drafts(make_plan(read_xlsx(data), boss, DEFAULTS), boss)
    Translation.objects.get(entry__slug=slug, language="fr").get_latest_revision().publish()
    assert slug not in [row["slug"] for row in sheet.missing("fr")]


# --- what people make themselves ------------------------------------------------------------------------------------
HEAD = ["Chủ đề", "Department", "Câu hỏi", "Answer", "Ngày kiểm tra", "Vĩ độ", "Ghi chú"]


@pytest.fixture
def office(db):
    return Department.objects.create(slug="culture-information", name_vi="Phòng Văn hóa", name_en="Culture")


def test_a_table_of_an_office_becomes_entries_with_every_problem_named(office, boss) -> None:
    data = workbook(
        ["Bảng của Phòng Văn hóa"], [], HEAD,
        ["Ẩm thực", "Phòng Văn hóa", "Hủ tiếu Mỹ Tho ăn ở đâu?", "Ở đường Đinh Bộ Lĩnh.", "22/11/2026", None, "x"],
        ["cá", "culture-information", "Cá ở đâu?", "Ở chợ.", dt.date(2026, 11, 22), None, None],
        ["food", "Sở Nào", "Ai?", "Ta.", "31/02/2026", 95, None],
        ["food", "Culture", "Trống?", None, None, None, None],
        ["food", "Culture", "Dài?", "a" * 601, None, None, None],
    )  # fmt: skip
    plan = make_plan(read_xlsx(data), boss, DEFAULTS)
    errors = {(each.row, each.column.split(" / ")[1]): each.text
              for proposal in plan.proposals for each in proposal.problems if not each.hint}  # fmt: skip
    assert set(errors) == {
        (5, "Category"), (6, "Department"), (6, "Verified on"), (6, "Latitude"), (7, "Answer"), (8, "Answer"),
    }  # fmt: skip
    assert "chọn: tourism" in errors[5, "Category"]
    assert "no date; write 22/11/2026" in errors[6, "Verified on"]
    assert "601 ký tự, tối đa 600" in errors[8, "Answer"]
    assert [(each.row, each.column, each.hint) for each in plan.problems] == [(3, "Ghi chú", True)]
    assert [each.slug for each in plan.ready] == ["hu-tieu-my-tho-an-o-dau"]
    make_drafts(plan, boss)
    entry = Entry.objects.get()
    assert (entry.category, entry.department, entry.verified_on, entry.live) == (
        "food", office, dt.date(2026, 11, 22), False,
    )  # fmt: skip
    assert [(text.language, text.answer, text.live) for text in entry.translations.all()] == [
        ("vi", "Ở đường Đinh Bộ Lĩnh.", False)
    ]


def test_rows_of_one_entry_agree_and_hold_a_language_once(office, boss) -> None:
    data = workbook(
        ["slug", "language", "question", "answer", "phone"],
        ["cho", "vi", "Chợ?", "Có.", "0273 1"], ["cho", "English", "Market?", "Yes.", None],
        ["cho", "tiếng việt", "Chợ nào?", "Có.", "0273 2"],
    )  # fmt: skip
    plan = make_plan(read_xlsx(data), boss, DEFAULTS)
    assert [(each.row, each.column.split(" / ")[1]) for each in plan.proposals[0].problems if not each.hint] == [
        (4, "Phone"), (4, "Language"),
    ]  # fmt: skip
    assert plan.ready == []
    with pytest.raises(FileError, match="No row of headings"):
        read_xlsx(workbook(["a", "b"], [1, 2]))
    with pytest.raises(FileError, match="cannot be opened"):
        read_xlsx(b"PK\x03\x04 no workbook")
    with pytest.raises(FileError, match="not UTF-8"):
        read_csv("câu hỏi,câu trả lời\n".encode("cp1258", "ignore") + b"\xff\xe2")


def test_a_document_has_headings_as_questions(office, boss) -> None:
    document = Document()
    document.add_heading("Ủy ban nhân dân", level=0)
    document.add_paragraph("Số: 12")
    document.add_heading("Ẩm thực", level=1)
    document.add_heading("Hủ tiếu Mỹ Tho là gì?", level=2)
    document.add_paragraph("Món nước với sợi gạo.")
    document.add_paragraph("Giá 30.000–50.000 đồng.")
    document.add_paragraph("Cách hỏi khác: hủ tiếu; món hủ tiếu là gì")
    document.add_paragraph("Nguồn: Báo Ấp Bắc, https://baoapbac.vn/hu-tieu")
    document.add_heading("Giờ chợ?", level=2)
    grid = document.add_table(rows=1, cols=2)
    grid.rows[0].cells[0].text, grid.rows[0].cells[1].text = "Sáng", "5:00–11:00"
    document.add_heading("Không có gì?", level=2)
    out = io.BytesIO()
    document.save(out)
    plan = make_plan(read_docx(out.getvalue()), boss, DEFAULTS)
    assert [(each.row, each.column.split(" / ")[1]) for each in plan.problems] == [(4, "Answer")]
    assert len(plan.ready) == 2
    make_drafts(plan, boss)
    text = Translation.objects.get(question="Hủ tiếu Mỹ Tho là gì?")
    assert text.answer == "Món nước với sợi gạo.\nGiá 30.000–50.000 đồng."
    assert text.questions[1:] == ["hủ tiếu", "món hủ tiếu là gì"]
    assert [(each.title, each.url) for each in text.entry.sources.all()] == [
        ("Báo Ấp Bắc", "https://baoapbac.vn/hu-tieu")
    ]
    assert Translation.objects.get(question="Giờ chợ?").answer == "Sáng: 5:00–11:00"
    empty = io.BytesIO()
    Document().save(empty)
    with pytest.raises(FileError, match="No headings found"):
        read_docx(empty.getvalue())


PAGE = """<!DOCTYPE html><!-- saved from url=(0031)https://mytho.example.org/hoi --><html><head><meta charset="utf-8">
<title>Hỏi đáp – Mỹ Tho</title><style>p{}</style></head><body><nav><h2>Menu</h2><p>Trang chủ</p></nav>
<main>Lời đầu<h1>Hỏi đáp</h1><h2>Chùa <em>Vĩnh Tràng</em> ở đâu?</h2>
<div>Ở <b>phường</b> Mỹ Phong.<p>Vào cửa tự do.</p></div>
<script>alert(1)</script><h2>Xe buýt?</h2><ul><li>Số 1</li><li>Số 2</li></ul></main>
<footer><p>©</p></footer></body></html>"""


def test_a_saved_page_has_headings_as_questions_and_is_the_source(office, boss) -> None:
    read = read_html(PAGE.encode())
    assert [row["question"] for _, row in read.rows] == ["Chùa Vĩnh Tràng ở đâu?", "Xe buýt?"]
    assert [row["answer"] for _, row in read.rows] == ["Ở phường Mỹ Phong.\nVào cửa tự do.", "Số 1\nSố 2"]
    make_drafts(make_plan(read, boss, DEFAULTS), boss)
    source = Entry.objects.get(slug="xe-buyt").sources.get()
    assert (source.title, source.url) == ("Hỏi đáp – Mỹ Tho", "https://mytho.example.org/hoi")
    # Brought in again with another answer: the same entry, a draft of that text and nothing else.
    again = PAGE.replace("Số 2", "Số 3").replace("/hoi -->", "/khac -->")
    plan = make_plan(read_html(again.encode()), boss, DEFAULTS)
    assert [(each.slug, each.new, len(each.changes)) for each in plan.ready] == [("xe-buyt", False, 1)]
    make_drafts(plan, boss)
    assert Entry.objects.count() == 2
    assert Translation.objects.get(question="Xe buýt?").get_latest_revision_as_object().answer == "Số 1\nSố 3"
