"""The numbers that a text states, in seven languages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from knowledge.numbers import phones, stated


@pytest.mark.parametrize(
    ("text", "language", "numbers"),
    [
        ("Vé 1.200.000 đồng, cách 1,5 km", "vi", {1200000}),
        ("Vốn 206 nghìn tỷ đồng", "vi", {206 * 10**12}),
        ("A ticket is 1,200,000 đồng, 15.5 km away", "en", {1200000, Decimal("15.5")}),
        ("Le billet coûte 1 200 000 dongs, à 15,5 km", "fr", {1200000, Decimal("15.5")}),
        ("Билет — 1 200 000 донгов; с 15.08.2028, 15,5 км", "ru", {1200000, 15, 2028, Decimal("15.5")}),
        ("票价150万越南盾，7 đến 8", "zh", {1500000}),
        ("3亿2000万人", "zh", {320000000}),
        ("表は9万3千ドン", "ja", {93000}),
        ("9만 3천 동, 52조로 이루어진 법, 제28조", "ko", {93000, 52, 28}),
        ("206조 동", "ko", {206 * 10**12}),
        ("39 ngành nghề, tỷ lệ 15 %", "vi", {39, 15}),
        ("thu nhập 115–120 triệu đồng, 3 đến 50 tỷ", "vi", {115 * 10**6, 120 * 10**6, 3 * 10**9, 50 * 10**9}),
        ("VND 115–120 million in 2030", "en", {115 * 10**6, 120 * 10**6, 2030}),
        ("1.15亿–1.2亿越南盾，100兆瓦，22,400多亿", "zh", {115 * 10**6, 120 * 10**6, 100, 2240 * 10**9}),
        ("Open until 7 pm", "en", {19}),
        ("오후 7시까지", "ko", {19}),
        ("下午5点关门", "zh", {17}),
        ("au XIXe siècle", "fr", {19}),
        ("Gọi 0277 3898989 hoặc 113", "vi", {113}),
        ("Two of them, 12 months", "en", set()),
        ("", "vi", set()),
    ],
)
def test_the_numbers_above_twelve_are_read(text: str, language: str, numbers: set[int | Decimal]) -> None:
    assert stated(text, language) == {Decimal(each) for each in numbers}


def test_telephone_numbers_are_equal_in_every_way_of_writing_them() -> None:
    assert phones("Gọi 0277 3898989") == phones("Call +84 277 3898 989.") == {"+842773898989"}
    assert phones("no number") == set()
