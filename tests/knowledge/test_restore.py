from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.restore import Restorer, lacks_diacritics

TEXTS = (
    "Chùa Vĩnh Tràng mở cửa lúc mấy giờ?", "Mua vé tàu đi cồn ở đâu?", "Mùa mưa ở Mỹ Tho từ tháng mấy?",
    "Mỹ Tho có đặc sản gì nên mua làm quà?", "chua vinh trang",
)


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(TEXTS)


@pytest.mark.parametrize(("typed", "meant"), [
    ("chua vinh trang mo cua may gio", "chùa vĩnh tràng mở cửa mấy giờ"),
    ("nen mua qua gi", "nên mua quà gì"),
    ("mua mua o my tho", "mùa mưa ở mỹ tho"),
    ("co taxi ko", "có taxi không"),
    ("QUOC LO 1", "quoc lo 1"),
], ids=["known", "by its neighbours", "one syllable with two meanings", "short forms", "unknown words stay"])
def test_the_likeliest_diacritics_are_restored(restorer: Restorer, typed: str, meant: str):
    assert restorer.restore(typed) == meant


def test_what_has_diacritics_already_keeps_them(restorer: Restorer):
    assert restorer.restore("mưa mua") == "mưa mua"


def test_a_knowledge_base_without_vietnamese_restores_nothing():
    assert Restorer([]).restore("chua vinh trang") == "chua vinh trang"


@pytest.mark.parametrize(("question", "lacks"), [("chua o dau?", True), ("chùa ở đâu?", False), ("đi cho", False)])
def test_a_question_lacks_diacritics_when_it_has_none_at_all(question: str, lacks: bool):
    assert lacks_diacritics(question) is lacks


@given(st.text(max_size=80))
def test_any_text_can_be_restored(text: str):
    assert isinstance(Restorer(TEXTS).restore(text), str)
