"""What is said in the staff group, Vietnamese first, English second; plain texts under Telegram's limit."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from bot.models import Delivery, Message
from desk.models import Answer, State, Ticket, TicketEvent
from desk.transcript import fields_of

MAX_TEXT = 4000
TYPE = TicketEvent.Type
ICONS = {
    TYPE.MESSAGE: "💬", TYPE.FILE: "📎", TYPE.NOTE: "📝", TYPE.PROPOSED: "⏳", TYPE.RELEASED: "✅", TYPE.ANSWER: "✅",
    TYPE.RETURNED: "↩️", TYPE.CLOSED: "🔒", TYPE.REMINDED: "⏰", TYPE.LATE: "⏰", TYPE.WITHDRAWN: "✋",
}
DELIVERIES = {
    Delivery.DELIVERED: "📬 Đã chuyển tới người hỏi. / Delivered to the asker.",
    Delivery.BLOCKED: "🚫 Người hỏi đã chặn bot, câu trả lời không tới. / Blocked by the user: it did not arrive.",
    Delivery.FAILED: "⚠️ Gửi lỗi, câu trả lời không tới. / Sending failed: the answer did not arrive.",
    Delivery.UNCERTAIN: "❓ Không rõ đã tới chưa; xem trong hệ thống. / Not known whether it arrived; see the console.",
}
HELP = (
    "Tin thường ở đây là ghi chú nội bộ. / A plain message here is a private note.\n"
    "Trả lời người hỏi / to answer: /a English text\n---\nbản tiếng Việt\n"
    "Trả lại câu chờ duyệt / to send back: /r lý do"
)
STRANGER = (
    "Tài khoản Telegram này chưa được đăng ký là cán bộ, nên tin không được ghi nhận (số: {id}). / "
    "This account is not registered as a colleague, so nothing was recorded (id: {id})."
)
NOT_YOURS = "Bạn không có quyền xem phiếu này. / You may not see this ticket."
ONLY_TEXT = "Ở đây chỉ nhận văn bản. / Only text is taken here."
NO_TOPIC = "Chủ đề này không thuộc phiếu nào. / This topic belongs to no ticket."
NOTHING_PROPOSED = "Không có câu trả lời nào chờ duyệt. / No answer awaits release."
EDITED = "Đã sửa ghi chú / note edited:\n{text}"


def topic_name(ticket: Ticket) -> str:
    """Return a topic's name (128 characters at most): nothing of what is asked, and nobody's name."""
    due = f" · {timezone.localtime(ticket.deadline):%d/%m %H:%M}" if ticket.deadline else ""
    return f"{ticket.number} · {ticket.get_kind_display()}{due}"[:128]


def header(ticket: Ticket) -> str:
    """Return the first post of a topic, as the ticket is now."""
    lines = [
        f"{ticket.number} · {ticket.get_kind_display()} · {ticket.get_state_display()}",
        f"Người xử lý / Holder: {_name(ticket)}",
        f"Ngôn ngữ / Language: {ticket.language}",
    ]
    if ticket.deadline:
        lines.append(f"Hạn / Deadline: {timezone.localtime(ticket.deadline):%d/%m/%Y %H:%M} (GMT+7)")
    lines += [f"{label}: {value}" for label, value in fields_of(ticket)]
    lines += ["", ticket.words, "", _link(ticket), "", HELP]
    return cut("\n".join(lines))


def line(event: TicketEvent) -> str:
    """Return the post for one line of history."""
    who = f" · {event.actor.get_full_name() or event.actor}" if event.actor else ""
    text = f"{ICONS.get(event.type, '•')} {event.get_type_display()}{who}"
    if event.type in (TYPE.PROPOSED, TYPE.RELEASED, TYPE.ANSWER) and (written := _answer(event)):
        text += f"\n{written.text}"
        if written.text_vi and written.text_vi != written.text:
            text += f"\n---\n{written.text_vi}"
    elif event.text:
        text += f"\n{event.text}"
    return cut(text)


def delivery(message: Message) -> str:
    """Return the post that says what became of an answer, "" while that is open."""
    return DELIVERIES.get(Delivery(message.state), "")


def can_be_claimed(ticket: Ticket) -> bool:
    """Tell whether the header still needs its button."""
    return ticket.claimed_by_id is None and ticket.state != State.CLOSED


def cut(text: str) -> str:
    """Return a text that fits one message; the console has the rest."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _answer(event: TicketEvent) -> Answer | None:
    return Answer.objects.filter(pk=event.data.get("answer")).first()


def _name(ticket: Ticket) -> str:
    holder = ticket.claimed_by
    return (holder.get_full_name() or holder.get_username()) if holder else "chưa có / nobody"


def _link(ticket: Ticket) -> str:
    return f"{settings.DESK_URL}{reverse('desk_tickets:detail', args=[ticket.number])}"
