"""The file of one case: read back as Word reads it, it holds every part of the case, and nobody else gets it."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from django.urls import reverse
from docx import Document

from bot.models import Author, Delivery, Message
from desk import answers, tickets
from desk.models import AuditRecord, FileState, Ticket, TicketEvent, TicketFile


@pytest.fixture
def korean(ticket, press, second):
    """A press case with everything that a case can have."""
    Ticket.objects.filter(pk=ticket.pk).update(
        language="ko", words="시장님을 인터뷰할 수 있을까요?\x07", timezone="Asia/Seoul", previous=tickets.open_ticket(
            "press", conversation=None, language="ko", words="earlier"))  # fmt: skip
    ticket = Ticket.objects.get(pk=ticket.pk)
    tickets.claim(ticket, press)
    tickets.note(ticket, press, "Gọi lại lúc mười giờ.")
    returned = answers.answer(ticket, press, "아니요.", "Không.")
    answers.send_back(returned, second, "Hãy viết đủ câu.")
    written = answers.answer(ticket, press, "네, 월요일에 오세요.", "Vâng, mời đến thứ hai.")
    answers.release(written, second)
    Message.objects.filter(answer=written).update(state=Delivery.DELIVERED)
    for number in range(250):
        Message.objects.create(
            conversation=ticket.conversation, author=Author.USER, text=f"질문 {number}", state=Delivery.DELIVERED
        )
    TicketFile.objects.create(
        ticket=ticket, state=FileState.STORED, name="Thư giới thiệu.pdf", content_type="application/pdf", size=17,
        sha256="ab" * 32,
    )  # fmt: skip
    return ticket


def parts(data):
    """Return heading → text under it, as Word shows the document."""
    document, found, heading = Document(io.BytesIO(data)), {}, ""
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            text = "\n".join(" | ".join(cell.text for cell in row.cells) for row in block.rows)
        else:
            text = block.text
            if block.style.name == "Heading 1":
                heading, text = text, ""
        found[heading] = f"{found.get(heading, '')}\n{text}"
    return found


def test_every_part_of_a_case_is_in_its_file(as_user, press, korean):
    answer = as_user(press).post(reverse("desk_tickets:export", args=[korean.number]))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{korean.number}.docx"'
    assert "no-store" in answer.headers["Cache-Control"]
    found = parts(answer.content)
    facts = found.pop("")
    for fact in (korean.number, "Báo chí / press", "Đã trả lời / answered", "Phòng Văn hóa", "press", "Asia/Seoul"):
        assert fact in facts
    holds = {
        "Biểu mẫu / Form": ["Họ tên / Name | Sarah Miller", "BBC", "Phỏng vấn / interview"],
        "Nguyên văn / The asker's own words": ["시장님을 인터뷰할 수 있을까요?"],
        "Hội thoại / Conversation": ["I am a journalist.", "질문 0", "질문 249", "네, 월요일에 오세요."],
        "Câu trả lời / Answers": [
            "네, 월요일에 오세요.", "Vâng, mời đến thứ hai.", "Đã duyệt / released", "Trả lại để sửa / sent back",
            "Hãy viết đủ câu.", "Người viết / Written by | press", "Người duyệt / Decided by | second",
            "Đã chuyển tới / delivered",
        ],
        "Diễn biến / History": ["Mở phiếu / opened", "Gọi lại lúc mười giờ.", "Xuất hồ sơ / exported | press"],
        "Tệp / Files": ["Thư giới thiệu.pdf | application/pdf | 17", "ab" * 32],
        "Phiếu liên quan / Linked tickets": [f"{korean.previous.number} | Phiếu trước / earlier"],
        "Trích nhật ký kiểm toán / Extract of the audit log": ["released", "exported"],
    }  # fmt: skip
    assert list(found) == list(holds)
    for heading, texts in holds.items():
        for text in texts:
            assert text in found[heading], heading
    extract = found["Trích nhật ký kiểm toán / Extract of the audit log"]
    rows = AuditRecord.objects.filter(subject=korean.number)
    assert rows.count() >= 7
    for row in rows:
        assert row.previous in extract
        assert row.hash in extract


def test_words_in_korean_have_a_korean_font(as_user, press, korean):
    data = as_user(press).post(reverse("desk_tickets:export", args=[korean.number])).content
    styles = zipfile.ZipFile(io.BytesIO(data)).read("word/styles.xml").decode()
    normal = re.search(r'<w:style [^>]*w:styleId="Normal".*?</w:style>', styles, re.S).group()
    assert 'w:eastAsia="Batang"' in normal
    assert "Theme" not in normal


def test_it_is_noted_who_took_it(as_user, press, ticket):
    as_user(press).post(reverse("desk_tickets:export", args=[ticket.number]))
    assert TicketEvent.objects.get(type="exported").actor == press
    record = AuditRecord.objects.get(action="exported")
    assert (record.actor, record.subject, record.press) == ("press", ticket.number, True)


def test_a_press_case_is_not_there_for_others(as_user, client, officer, editor, press, ticket, complaint):
    address = reverse("desk_tickets:export", args=[ticket.number])
    for user in (officer, editor):
        assert as_user(user).post(address).status_code == 404
    assert client.post(address).status_code == 302
    assert as_user(press).post(reverse("desk_tickets:export", args=[complaint.number])).status_code == 404
    assert as_user(press).get(address).status_code == 405
    assert not AuditRecord.objects.filter(action="exported").exists()


def test_an_officer_finds_nothing_of_a_press_request_in_the_same_chat(as_user, officer, press, ticket):
    tickets.note(ticket, press, "CANARY")
    other = tickets.open_ticket("complaint", conversation=ticket.conversation, language="en", words="A lamp is broken.",
                                previous=ticket)  # fmt: skip
    data = as_user(officer).post(reverse("desk_tickets:export", args=[other.number])).content
    text = "\n".join(parts(data).values())
    assert "A lamp is broken." in text
    for hidden in ("CANARY", "journalist", ticket.number, "Sarah"):
        assert hidden not in text
