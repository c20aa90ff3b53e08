"""Old addresses and where they lie since 1 July 2025; the expected wards stand in the research (merge.my_tho_5)."""

from __future__ import annotations

import pytest

from knowledge.addresses import convert


@pytest.mark.parametrize(
    ("text", "new", "divided"),
    [
        ("phường 4 cũ nay là phường nào", "Phường Đạo Thạnh, Tỉnh Đồng Tháp", True),
        ("phuong 5 my tho gio la phuong gi", "Phường Đạo Thạnh, Tỉnh Đồng Tháp", False),
        ("p9 Mỹ Tho bây giờ thuộc phường nào?", "Phường Mỹ Phong, Tỉnh Đồng Tháp", False),
        ("xã Tân Mỹ Chánh, Mỹ Tho nay thuộc đâu", "Phường Mỹ Phong, Tỉnh Đồng Tháp", False),
        ("What is the former ward 10 of My Tho called now?", "Phường Trung An, Tỉnh Đồng Tháp", False),
        ("Phường 1, TP. Mỹ Tho, Tiền Giang", "Phường Mỹ Tho, Tỉnh Đồng Tháp", False),
        (
            "12 Lê Lợi, Phường 1, Thành phố Mỹ Tho, Tiền Giang",
            "12 Lê Lợi, Phường Mỹ Tho, Tỉnh Đồng Tháp",
            False,
        ),
        ("Phường 1, Quận 1, TP Hồ Chí Minh", None, False),
        ("Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh", "Phường Sài Gòn, Thành phố Hồ Chí Minh", None),
    ],
)
def test_an_old_address_is_found_in_peoples_words(text: str, new: str | None, divided: bool | None) -> None:
    found = convert(text)
    assert (found.new if found else None) == new
    if found and divided is not None:
        assert found.divided == divided


@pytest.mark.parametrize(
    "text",
    [
        "Ngân hàng ở phường 4 Mỹ Tho ở đâu?",
        "chùa Vĩnh Tràng ở phường 8 Mỹ Tho mở cửa lúc mấy giờ",
        "phường 3 Mỹ Tho nay là gì",  # dissolved before 2025: the table does not have it, and no guess is made
        "phường 44 cũ",
        "hủ tiếu, bún gỏi già, bánh giá",
        "xa cảng miền Tây cũ ở đâu",
        "",
        "Where is the old market?",
        "from Mỹ Tho to Cái Bè, Cái Mơn, Bến Tre",
    ],
)
def test_other_words_are_no_address(text: str) -> None:
    assert convert(text) is None


@pytest.mark.parametrize(
    "text", ["P.4, TP Mỹ Tho, Tiền Giang", "p4, tp. my tho, tien giang", "Phường 4, Mỹ Tho, Tiền Giang"]
)
def test_short_forms_are_read(text: str) -> None:
    assert convert(text).new == "Phường Đạo Thạnh, Tỉnh Đồng Tháp"
