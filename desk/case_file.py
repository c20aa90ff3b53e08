"""The file of one case as a Word document: all that is kept of it, to be printed, signed and put on the shelf.

Headings are Vietnamese with English beside. It holds what the person who asks for it may see, no more; that it was
asked for stands in the ticket's history and in the audit log, the document's own last lines included.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from docx import Document
from docx.document import Document as Docx
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from desk import tickets
from desk.models import AuditRecord, Ticket, TicketEvent
from desk.transcript import CHANNEL_LABELS, fields_of, is_partly_hidden, talk_of
from desk.views import name_of, the_ticket
from knowledge.models import LANGUAGE_CHOICES

TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# Word takes each script's letters from another font; one name for all would leave Chinese, Japanese and Korean to luck.
FONTS = {"ascii": "Times New Roman", "hAnsi": "Times New Roman", "cs": "Times New Roman"}
EAST_ASIA = {"zh": "SimSun", "ja": "MS Mincho", "ko": "Batang"}
# What XML cannot hold, though a chat can.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
AUTHORS = {"user": "Người hỏi / asker", "bot": "Máy / machine", "staff": "Cán bộ / staff"}


@never_cache
@require_POST
def export(request: HttpRequest, number: str) -> HttpResponse:
    """Hand out the file of a ticket; 404 for one that this person may not see. A POST: it adds a line of history."""
    ticket = the_ticket(request, number)
    tickets.event(ticket, TicketEvent.Type.EXPORTED, request.user)
    response = HttpResponse(build(ticket, request.user), content_type=TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{ticket.number}.docx"'
    return response


def build(ticket: Ticket, user: AbstractBaseUser) -> bytes:
    """Return the document's bytes; `user` says what may stand in it."""
    document = Document()
    _set_up(document, ticket)
    document.add_heading(_clean(f"Hồ sơ / Case file {ticket.number}"), level=0)
    for part in (_facts, _form, _words, _talk, _answers, _history, _files, _linked, _audit):
        part(document, ticket, user)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_up(document: Docx, ticket: Ticket) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.5), Cm(2)
    east_asia = EAST_ASIA.get(ticket.language, "SimSun")
    for name in ("Normal", "Title", "Heading 1", "Heading 2"):
        style = document.styles[name]
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        # A theme's fonts would win over those named here.
        for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{attribute}"), None)
        for script, font in (FONTS | {"eastAsia": east_asia}).items():
            fonts.set(qn(f"w:{script}"), font)
    document.styles["Normal"].font.size = Pt(12)
    document.core_properties.title = ticket.number
    document.core_properties.author = settings.WAGTAIL_SITE_NAME
    section.footer.paragraphs[0].text = f"{ticket.number} · {_at(timezone.now())}"


def _clean(text: Any) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text))


def _at(time: dt.datetime | None) -> str:
    return f"{timezone.localtime(time):%d/%m/%Y %H:%M}" if time else "—"


def _table(document: Docx, rows: Iterable[Iterable[Any]], heads: Iterable[str] = ()) -> None:
    rows = [list(heads), *map(list, rows)] if heads else [list(row) for row in rows]
    if not rows or (heads and len(rows) == 1):
        document.add_paragraph("Không có. / None.")
        return
    table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
    for line, row in zip(rows, table.rows, strict=True):
        for value, cell in zip(line, row.cells, strict=True):
            cell.text = _clean(value)
    if heads:
        for cell in table.rows[0].cells:
            cell.paragraphs[0].runs[0].bold = True


def _facts(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    channel = ticket.conversation.channel if ticket.conversation else ""
    _table(document, [
        ("Số / Number", ticket.number),
        ("Loại / Kind", ticket.get_kind_display()),
        ("Trạng thái / State", ticket.get_state_display()),
        ("Cơ quan / Office", ticket.department or "—"),
        ("Người xử lý / Holder", name_of(ticket.claimed_by) or "—"),
        ("Ngôn ngữ / Language", dict(LANGUAGE_CHOICES).get(ticket.language, ticket.language)),
        ("Kênh / Channel", CHANNEL_LABELS.get(channel, channel) or "—"),
        ("Nhận lúc / Received", _at(ticket.created_at)),
        ("Hạn / Deadline", _at(ticket.deadline)),
        ("Múi giờ người hỏi / Asker's time zone", ticket.timezone or "—"),
        ("Đồng ý lưu liên hệ / Consent to keep contact data", _at(ticket.consented_at)),
        ("Trả lời lúc / Answered", _at(ticket.answered_at)),
        ("Đóng lúc / Closed", _at(ticket.closed_at)),
        ("Rút lúc / Withdrawn", _at(ticket.withdrawn_at)),
        ("Xóa dữ liệu lúc / Personal data erased", _at(ticket.erased_at)),
    ])  # fmt: skip


def _form(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Biểu mẫu / Form", level=1)
    _table(document, fields_of(ticket), ("Mục / Field", "Nội dung / Value"))


def _words(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Nguyên văn / The asker's own words", level=1)
    document.add_paragraph(_clean(ticket.words) or "—")


def _talk(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Hội thoại / Conversation", level=1)
    if is_partly_hidden(ticket, user):
        document.add_paragraph(
            "Chỉ gồm phần của phiếu này: hội thoại còn một yêu cầu báo chí. / "
            "This ticket's part alone: the chat also holds a press request."
        )
    _table(document, (
        (_at(each.created_at), AUTHORS.get(each.author, each.author), each.text,
         each.get_state_display() + (f" {_at(each.sent_at)}" if each.sent_at else "") if each.author != "user" else "")
        for each in talk_of(ticket, user, limit=None)
    ), ("Lúc / At", "Ai / Who", "Nội dung / Text", "Chuyển / Delivery"))  # fmt: skip


def _answers(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Câu trả lời / Answers", level=1)
    answers = ticket.answers.select_related("author", "reviewer", "message")
    if not answers:
        document.add_paragraph("Không có. / None.")
    for each in answers:
        sent = each.message
        document.add_heading(f"{each.pk}: {each.get_state_display()}", level=2)
        _table(document, [
            ("Người viết / Written by", f"{name_of(each.author)}, {_at(each.created_at)}"),
            ("Người duyệt / Decided by", f"{name_of(each.reviewer) or '—'}, {_at(each.decided_at)}"),
            ("Lý do trả lại / Why it was sent back", each.reason or "—"),
            ("Chuyển / Delivery", f"{sent.get_state_display()}, {_at(sent.sent_at)} {sent.error}" if sent else "—"),
            ("Bằng ngôn ngữ người hỏi / In the asker's language", each.text),
            ("Bằng tiếng Việt / In Vietnamese", each.text_vi or "—"),
        ])  # fmt: skip


def _history(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Diễn biến / History", level=1)
    _table(document, (
        (_at(each.created_at), each.get_type_display(), name_of(each.actor) or "—", each.text)
        for each in ticket.events.select_related("actor")
    ), ("Lúc / At", "Việc / What", "Ai / Who", "Nội dung / Text"))  # fmt: skip


def _files(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Tệp / Files", level=1)
    _table(document, (
        (each.name, each.content_type, each.size, each.get_state_display(), each.sha256)
        for each in ticket.files.all()
    ), ("Tên / Name", "Loại / Type", "Byte", "Trạng thái / State", "SHA-256"))  # fmt: skip


def _linked(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Phiếu liên quan / Linked tickets", level=1)
    visible = tickets.visible_to(user)
    kinds = {
        "Phiếu trước / earlier": visible.filter(pk=ticket.previous_id),
        "Phiếu nối tiếp / continued by": visible.filter(previous=ticket),
        "Gộp vào / merged into": visible.filter(pk=ticket.merged_into_id),
        "Gộp từ / merged from": visible.filter(merged_into=ticket),
    }
    _table(
        document,
        ((each.number, how, each.get_state_display()) for how, rows in kinds.items() for each in rows.order_by("pk")),
        ("Số / Number", "Quan hệ / How", "Trạng thái / State"),
    )


def _audit(document: Docx, ticket: Ticket, user: AbstractBaseUser) -> None:
    document.add_heading("Trích nhật ký kiểm toán / Extract of the audit log", level=1)
    document.add_paragraph(
        "Mỗi dòng mang mã băm của dòng trước nó trong toàn nhật ký. / "
        "Each record carries the hash of the one before it in the whole log; to check one: "
        "manage.py verify_audit --noted NUMBER:HASH."
    )
    _table(document, (
        (each.sequence, _at(each.at), each.actor or "—", each.action, f"{each.previous}\n{each.hash}")
        for each in AuditRecord.objects.filter(subject=ticket.number)
    ), ("#", "Lúc / At", "Ai / Who", "Việc / What", "Mã băm trước, mã băm / Previous hash, hash"))  # fmt: skip
