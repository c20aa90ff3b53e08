"""The names and attributes that a question may have and an entry not: known in every language, silent by accident."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from knowledge.content_files import read_folder
from knowledge.tokens import _LOADER, CONCEPTS, FOLDER, _normal, concepts

NAMES, ATTRIBUTES = FOLDER / "names.yml", FOLDER / "attributes.yml"
SCRIPTS = {
    "han": re.compile(r"[\u3400-\u9fff]"), "hangul": re.compile(r"[\uac00-\ud7a3]"),
    "kana": re.compile(r"[\u3041-\u30ff]"), "cyrillic": re.compile(r"[а-яё]"), "latin": re.compile(r"[a-zà-ỹ]"),
}
# Every translation of an entry says the same, so a name that fires in one or two of seven languages is likely a word
# that means something else there (чили: a pepper; トゥドゥック帝: an emperor). These were read, and are right.
HEARD_IN_FEW = {
    "@ba_chua_xu": {"go-thap"},  # a shrine of her at the site
    "@cambodia": {"city-name-origin", "ethnic-groups-religions"},  # 高棉语: the Khmer language; 高棉族
    "@china": {"ethnic-groups-religions"},
    "@europe": {"trade-agreements"},
    "@hanoi": {"resident-correspondents"},
    "@india": {"go-thap", "tram-chim-national-park"},  # 印度教: Hindu; the Indian crane
    "@instagram": {"man-dinh-hong-flower-garden"},
    "@japan": {"dong-hoa-hiep-village"},
    "@other_regions": {"trung-luong-rose-apple"},  # what the North calls it
    "@rome": {"my-tho-cathedral"},  # its style
    "@uncle_ho_mausoleum": {"royal-tomb-go-cong"},  # a mausoleum
    "@south_korea": {"film-company-foreign-share", "restaurant-foreign-owner", "travel-company-foreign-owner"},
    "@usa": {"exports-growth-tien-giang", "nationality-law-2025"},  # the market, in most of its texts
    "@vietnamese_banks": {"foreign-loan-registration"},
    "@yen_tu": {"linh-thuu-pagoda"},  # 롱뚜옌뜨: Long Tuyền Tự
}
# What the traps below really say: Romania is one name, not Rome; "most visited" (đông khách nhất) is no Japanese guest.
MEANT = {"罗马尼亚人": {"@romania"}, "đông khách nhất": {"queue"}, "28日落成": {"opening_ceremony"}}
# Readers ask about their own country, and Russian says "dollars of the USA".
OF_READERS = {
    "en": {"@usa", "@uk"}, "zh": {"@china"}, "ko": {"@south_korea"}, "ja": {"@japan"}, "fr": {"@france"},
    "ru": {"@russia", "@usa"},
}  # fmt: skip
LISTS = {"visa-exemption", "trade-agreements"}  # these two list countries


@lru_cache
def words_of(file: Path) -> dict[str, list[str]]:
    loaded: dict[str, list[str]] = yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 (a safe one)
    return loaded


@lru_cache
def named_by_entry() -> dict[str, dict[str, set[str]]]:
    """Return, for every entry of the content, the names it uses and the languages in which each is heard."""
    _, entries = read_folder(FOLDER / "content")
    named: dict[str, dict[str, set[str]]] = {}
    for entry in entries:
        heard = named.setdefault(entry["slug"], {})
        for lang, each in entry["translations"].items():
            for text in (each["question"], *each["other_questions"], each["answer"]):
                for name in concepts(text):
                    if name.startswith("@"):
                        heard.setdefault(name, set()).add(lang)
    return named


def scripts(words: list[str]) -> Counter[str]:
    return Counter(script for word in words for script, letters in SCRIPTS.items() if letters.search(word.lower()))


@pytest.mark.parametrize("file", [NAMES, ATTRIBUTES], ids=lambda file: file.stem)
def test_every_concept_has_words_in_at_least_six_languages(file: Path):
    # Vietnamese, English and French share letters, and often a name: Bangkok, Viettel.
    least = 1 if file == NAMES else 3
    for concept, words in words_of(file).items():
        found = scripts(words)
        others = sum(found[script] > 0 for script in ("han", "hangul", "kana", "cyrillic"))
        # Kanji are Japanese too, where Chinese writes the same.
        assert found["latin"] >= least, concept
        assert others + (found["kana"] == 0 and found["han"] > 0) >= 3, (concept, dict(found))


def test_names_are_marked_and_nothing_else_is():
    assert all(name.startswith("@") for name in words_of(NAMES))
    assert not any(name.startswith("@") for file in (ATTRIBUTES, CONCEPTS) for name in words_of(file))
    assert not words_of(ATTRIBUTES).keys() & words_of(CONCEPTS).keys()


def test_no_word_stands_twice():
    where: dict[str, list[str]] = {}
    for file in (NAMES, ATTRIBUTES):
        for concept, words in words_of(file).items():
            for word in {" ".join(_normal(word).split()) for word in words}:
                where.setdefault(word, []).append(concept)
    old = {" ".join(_normal(word).split()) for words in words_of(CONCEPTS).values() for word in words}
    assert {word: names for word, names in where.items() if len(names) > 1 or word in old} == {}


def test_every_word_fires_its_own_concept():
    for file in (NAMES, ATTRIBUTES):
        for concept, words in words_of(file).items():
            for word in words:
                assert concept in concepts(word.split("!")[0].replace("*", "").strip()), (concept, word)


def test_a_name_is_heard_in_most_languages_of_an_entry_or_was_read():
    found: dict[str, set[str]] = {}
    for slug, names in named_by_entry().items():
        for name, heard in names.items():
            langs = {each for each in heard if name not in OF_READERS.get(each, ())}
            if 0 < len(langs) < 3:
                found.setdefault(name, set()).add(slug)
    assert found == HEARD_IN_FEW


def test_the_entries_that_list_countries_name_countries_only():
    countries = {
        "@belgium", "@bulgaria", "@croatia", "@czechia", "@denmark", "@emirates", "@europe", "@finland", "@france",
        "@germany", "@hungary", "@italy", "@japan", "@luxembourg", "@netherlands", "@norway", "@poland", "@romania",
        "@russia", "@slovakia", "@south_korea", "@spain", "@sweden", "@switzerland", "@uk",
    }
    assert frozenset().union(*(named_by_entry()[slug] for slug in LISTS)) == countries


@pytest.mark.parametrize(("text", "name"), [
    ("lãnh sự quán Áo ở Sài Gòn", "@austria"), ("lanh su quan uc o dau", "@australia"),
    ("người Pháp có cần visa không", "@france"), ("xe từ Mỹ Tho đi Đà Lạt mấy giờ chạy", "@da_lat"),
    ("miếu Bà Chúa Xứ mở mấy giờ", "@ba_chua_xu"), ("ve vao van mieu", "@literature_temple"),
    ("where is the Polish consulate", "@poland"), ("flights to Siem Reap", "@siem_reap"),
    ("can I call a Grab here", "@grab"), ("is it on TripAdvisor", "@review_sites"),
    ("意大利人要签证吗", "@italy"), ("去岘港的火车", "@da_nang"), ("印度尼西亚领事馆", "@indonesia"),
    ("러시아 영사관 어디예요", "@russia"), ("하노이 가는 비행기", "@hanoi"), ("후에 왕궁 입장료", "@hue"),
    ("タイ領事館はどこ", "@thailand"), ("ホイアンまでのバス", "@hoi_an"), ("ソウルから何時間", "@seoul"),
    ("consulat de Belgique", "@belgium"), ("bus pour Cần Thơ", "@can_tho"), ("je viens de Lyon", "@lyon_marseille"),
    ("консульство Казахстана", "@kazakhstan"), ("автобус в Нячанг", "@nha_trang"), ("рейс из Москвы", "@moscow"),
])
def test_a_name_is_known_in_its_language(text: str, name: str):
    assert name in concepts(text)


@pytest.mark.parametrize(("text", "attribute"), [
    ("xe buýt chuyến cuối mấy giờ", "last_bus"), ("lương công nhân bao nhiêu", "salary"), ("đặt vé trước", "booking"),
    ("will it rain tomorrow", "weather"), ("how many calories in a bowl", "calories"),
    ("is there a discount", "discount"),
    ("附近有牙科诊所吗", "dentist"), ("怎么延签", "visa_extension"), ("有打折吗", "discount"),
    ("치과 어디 있어요", "dentist"), ("부동산 가격", "house_price"), ("몇킬로예요", "distance"),
    ("駅のロッカー", "luggage"), ("料理教室はありますか", "language_course"), ("トイレはどこ", "toilet"),
    ("quel dentiste me conseillez-vous", "dentist"), ("acheter les billets en ligne", "ticket_online"),
    ("сколько стоит такси до центра", "taxi_price"), ("какая зарплата у водителя", "salary"),
])
def test_an_attribute_is_known_in_its_language(text: str, attribute: str):
    assert attribute in concepts(text)


@pytest.mark.parametrize("text", [
    "người Mỹ Tho ăn gì", "giếng nước Mỹ Tho", "đông khách nhất", "người bị lạc", "mất ba lần", "nước thải",
    "thủy điện", "cho hỏi ăn gì ở đây", "đi ăn trưa", "vì thành phố", "tại sao hóa đơn", "người lao động", "hai đường",
    "có bao nhiêu người", "cồn bao nhiêu tiền", "thuê đò", "cơ quan nào", "đất cho thuê", "bởi ai", "liên quan", "mười",
    "bảo vệ trẻ em", "giá vé bao nhiêu", "từ từ", "chưa thấy", "mang cho bạn", "thủ tục thuế nhà đất",
    "I ran out of time", "chili sauce", "the moon lute",
    "罗马尼亚人", "印度支那铁路", "ドローンを飛ばす", "配偶者", "インスタント麺", "배우자", "보호주의", "여행 후에",
    "응우옌후에 시암 해군", "28日落成",
    "un chef d'orchestre", "напишите нам", "индивидуальный тур", "решение властей",
])
def test_what_only_looks_like_a_name_or_attribute_is_left_alone(text: str):
    assert concepts(text) & (words_of(NAMES).keys() | words_of(ATTRIBUTES).keys()) <= MEANT.get(text, set())


def test_what_must_not_follow_tells_names_apart():
    assert "@india" in concepts("印度签证")
    assert concepts("印度尼西亚签证") & {"@india", "@indonesia"} == {"@indonesia"}
    assert "@usa" in concepts("sang Mỹ cần gì")
    assert "@usa" not in concepts("sang Mỹ Tho cần gì")
