"""What a first message already says: read when it is sure, left alone when it is not."""

from __future__ import annotations

import pytest

from actions import prefill
from actions.fields import prefill_contact
from actions.form_model import Reading

# language | message | name | outlet | country | format | deadline ("-": must not be read)
PRESS = """
en | I'm Sarah Miller from the BBC, based in the United Kingdom, asking for an interview by Friday 5 pm London time. | Sarah Miller | BBC | United Kingdom | interview | Friday 5 pm London time
en | I'm a reporter with Reuters and would like an interview with the chairman | - | Reuters | - | interview | -
en | We are a crew from Japan and want to film the floating market with a drone by 12 December | - | - | Japan | filming | 12 December
en | I am a journalist from London and would like to film and photograph the market | - | - | - | - | -
en | This is about a story of three friends and how they got by in Thailand | - | - | - | - | -
en | My name is Ana de la Cruz, freelance journalist. I write for The New York Times. | Ana de la Cruz | The New York Times | - | - | -
vi | Tôi là Nguyễn Văn Minh, phóng viên đài truyền hình NHK đến từ Nhật Bản, xin phỏng vấn, hạn chót thứ sáu 17h | Nguyễn Văn Minh | đài truyền hình NHK | Nhật Bản | interview | thứ sáu 17h
vi | phóng viên Anh Tuấn muốn quay phim từ Mỹ Tho | - | - | - | filming | -
vi | doan lam phim nuoc ngoai xin giay phep quay phim tai lieu | - | - | - | filming | -
zh | 我叫李娜，我是新加坡联合早报的记者，想采访市长，请在11月30日之前答复 | 李娜 | 新加坡联合早报 | 新加坡 | interview | 11月30日
zh | 我是一名法国记者，想拍摄纪录片 | - | - | 法国 | filming | -
ko | 저는 연합뉴스 기자 김민수입니다. 한국 언론으로서 서면으로 묻고 싶습니다. 마감은 12월 30일 17:00입니다. | 김민수 | 연합뉴스 | 한국 | written | 12월 30일 17:00
ko | 저는 기자인데 시장님을 인터뷰하고 싶습니다 | - | - | - | interview | -
ja | NHKの田中花子と申します。日本のテレビ局です。水上市場を撮影したいです。12月31日までに回答をお願いします。 | 田中花子 | NHK | 日本 | filming | 12月31日
fr | Bonjour, je m'appelle Luc Martin, journaliste au Monde. Je souhaite un entretien avec le maire avant le 31 décembre 17h. | Luc Martin | Le Monde | - | interview | le 31 décembre 17h
fr | je suis journaliste belge et je viens de Paris pour un tournage | - | - | - | filming | -
ru | Меня зовут Анна Петрова, я корреспондент ТАСС из России, хочу взять интервью до 31 декабря 18:00 по Москве | Анна Петрова | ТАСС | России | interview | 31 декабря 18:00 по Москве
ru | я журналист, хочу снять фильм | - | - | - | filming | -
"""  # noqa: E501


@pytest.mark.parametrize("case", PRESS.strip().splitlines(), ids=lambda case: case[:50])
def test_a_journalists_first_message(case: str) -> None:
    language, words, *expected = (part.strip() for part in case.split("|"))
    reading = Reading(language, {}, "press")
    readers = (prefill.name, prefill.outlet, prefill.country, prefill.format, prefill.deadline)
    assert [read(words, reading) or "-" for read in readers] == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("I would like an interview with the mayor about the merger of the provinces", True),
        ("Tôi muốn phỏng vấn lãnh đạo thành phố về du lịch sông nước", True),
        ("我想就水上旅游采访市长，关于合并后的政策", True),
        ("시장님께 통합 이후 관광 정책에 대해 인터뷰를 요청합니다", True),
        ("水上市場の将来について市長にインタビューしたいです", True),
        ("Je souhaite interviewer le maire sur la fusion des provinces", True),
        ("Хочу взять у мэра интервью о туризме в дельте Меконга", True),
        ("I would like an interview with the mayor", False),
        ("press inquiry", False),
    ],
)
def test_a_topic(words: str, told: bool) -> None:
    assert (prefill.subject(words, Reading("en", {}, "press")) == words) is told


@pytest.mark.parametrize(
    ("words", "contact"),
    [
        ("reach me at sarah@example.org or +44 20 7946 0958 please", "sarah@example.org, +44 20 7946 0958"),
        ("邮箱 li@zaobao.sg，谢谢", "li@zaobao.sg"),
        ("between 2019 and 2025, 30 people in 12 boats", None),
    ],
)
def test_a_contact(words: str, contact: str | None) -> None:
    assert prefill_contact(words, Reading("en", {}, "press")) == contact


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("phản ánh rác thải chất đống ở đường Lê Lợi phường 4 vào tối qua", "đường Lê Lợi phường 4"),
        ("I want to complain about a taxi driver who overcharged me at the Mỹ Tho Pier yesterday", "the Mỹ Tho Pier"),
        ("tôi muốn phản ánh tài xế taxi ở đây", None),
        ("a guide was rude to us at noon", None),
        ("昨天我在美萩市场被多收了钱", "美萩市场"),
        ("投诉：出租车司机在 Lê Lợi 街绕路", "Lê Lợi 街"),
        ("有人在市场偷了我的手机", None),
        ("어제 미토 선착장에서 배 요금을 두 배로 받았어요", "미토 선착장"),
        ("시장에서 지갑을 도난당했습니다", None),
        ("昨日、ミトー市場で料金を二重に取られました", "ミトー市場"),
        ("タクシーの運転手がひどかったです", None),
        ("On m'a fait payer deux fois au marché de Mỹ Tho, c'est inadmissible", "marché de Mỹ Tho"),
        ("un chauffeur nous a insultés devant le restaurant hier soir", None),
        ("Таксист обманул нас на улице Ле Лой, требуем разобраться", "улице Ле Лой"),
        ("нас обманули на рынке вчера вечером", None),
    ],
)
def test_a_complaints_place(words: str, place: str | None) -> None:
    assert prefill.place(words, Reading("vi", {}, "complaint")) == place
