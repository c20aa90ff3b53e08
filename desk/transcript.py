"""What a ticket's page shows of its form and its conversation, and what it keeps from whom."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from bot.models import Message
from desk.models import Kind, Ticket

MAX_MESSAGES = 200

# Labels of the fields that the forms of domain/ fill in; another field is shown under its own name.
FIELD_LABELS = {
    "name": "Họ tên / Name",
    "outlet": "Cơ quan báo chí / Outlet",
    "country": "Quốc gia / Country",
    "subject": "Nội dung hỏi / What is asked",
    "format": "Hình thức / Format",
    "deadline": "Hạn / Deadline",
    "contact": "Liên hệ / Contact",
    "sector": "Lĩnh vực / Sector",
    "place": "Địa điểm / Place",
    "time": "Lúc nào / When",
}
# Values that a form stores as codes (actions/form_words.yml), in words that the staff read.
VALUE_LABELS = {
    "format": {
        "written": "Trả lời bằng văn bản / in writing",
        "filming": "Quay phim / filming",
        "photo": "Chụp ảnh / photographs",
        "visit": "Đến thăm / visit",
        "interview": "Phỏng vấn / interview",
        "other": "Khác / other",
    },
    "deadline": {"none": "Không có hạn / no deadline"},
    "contact": {"chat": "Trong hội thoại này / in this chat"},
    "time": {"unknown": "Không nhớ / not known"},
}
CHANNEL_LABELS = {"telegram": "Telegram", "web": "Trang web / Web chat", "terminal": "Terminal"}


def fields_of(ticket: Ticket) -> list[tuple[str, Any]]:
    """Return the form as labels and values; `deadline_label` is how the asker read the deadline back."""
    shown = []
    for name, value in ticket.fields.items():
        if name.endswith("_label") or value in (None, ""):
            continue
        # A value may be a list or a map one day; only a word can be a code.
        coded = VALUE_LABELS.get(name, {}).get(value) if isinstance(value, str) else None
        shown.append((FIELD_LABELS.get(name, name), coded or ticket.fields.get(f"{name}_label") or value))
    return shown


def is_partly_hidden(ticket: Ticket, user: AbstractBaseUser) -> bool:
    """Tell whether the conversation also holds a press request that this user may not see.

    One chat may have a complaint and a press request; whoever works on the complaint must not read the other there.
    """
    if ticket.conversation_id is None or user.has_perm("desk.work_press"):
        return False
    return Ticket.objects.filter(conversation_id=ticket.conversation_id, kind=Kind.PRESS).exists()


def talk_of(ticket: Ticket, user: AbstractBaseUser, limit: int | None = MAX_MESSAGES) -> list[Message]:
    """Return the last messages of the conversation, oldest first; all of them without a limit.

    Only the ticket's own messages are left when the conversation was deleted or is partly hidden from the user.
    """
    if ticket.conversation_id is None or is_partly_hidden(ticket, user):
        rows = Message.objects.filter(ticket=ticket)
    else:
        rows = Message.objects.filter(conversation_id=ticket.conversation_id)
    return list(rows.order_by("-id")[:limit])[::-1]
