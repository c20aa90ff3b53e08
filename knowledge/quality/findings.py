"""What a check finds, and what is said of each kind of finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A kind of finding: its name for staff ("Tiếng Việt / English"), and whether content may go out with it."""

    title: str
    blocks: bool = False


RULES = {
    "expired": Rule("Đã hết hạn / Expired"),
    "due": Rule("Đến hạn kiểm tra / Due for review"),
    "event_over": Rule("Sự kiện đã qua / Event over"),
    "old_source": Rule("Nguồn xem quá một năm / Source seen over a year ago"),
    "dates": Rule("Ngày tháng không hợp lý / Dates that cannot be", blocks=True),
    "link": Rule("Địa chỉ trang sai / Broken form of a link", blocks=True),
    "phone": Rule("Số điện thoại không ở dạng quốc tế / Phone not in international form", blocks=True),
    "languages": Rule("Thiếu ngôn ngữ / Missing languages", blocks=True),
    "questions": Rule("Ít cách hỏi / Few ways to ask", blocks=True),
    "length": Rule("Câu trả lời quá dài / Answer too long", blocks=True),
    "numbers": Rule("Con số khác bản gốc / Numbers differ from the original", blocks=True),
    "phones": Rule("Số điện thoại khác bản gốc / Phones differ from the original", blocks=True),
    "outdated": Rule("Bản dịch đã cũ / Translation out of date"),
    "duplicate": Rule("Gần như trùng nhau / Near-duplicates", blocks=True),
    "contradiction": Rule("Có thể mâu thuẫn / Possible contradiction"),
    "weak_fact": Rule("Dựa trên dữ kiện yếu / Rests on a weak fact", blocks=True),
    "disputed_fact": Rule("Dữ kiện còn tranh cãi / Rests on a disputed fact"),
    "never_asked": Rule("Chưa ai hỏi / Never asked"),
}


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to look at: the rule's key, the entry, its language ("" for the whole entry), what was found."""

    rule: str
    slug: str
    language: str
    detail: str

    @property
    def blocks(self) -> bool:
        """Tell whether content must not go out with this."""
        return RULES[self.rule].blocks

    def __str__(self) -> str:
        where = f"{self.slug}/{self.language}" if self.language else self.slug
        return f"{where}: {self.rule}: {self.detail}"
