"""Time zones of people elsewhere, by the name of a country or a city; moments as seven languages write them.

Names of countries and cities, the zones of a country and the forms of dates come from Babel (Unicode CLDR); what is
said of the zones of a conversation ("London time") stands in `actions/dates.yml`.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_time, get_timezone_location

from nlu.text import fold

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
# CLDR's names of our languages; British English writes the day before the month, as Vietnam does.
LOCALES = {"vi": "vi", "en": "en_GB", "zh": "zh_Hans", "ko": "ko", "ja": "ja", "fr": "fr", "ru": "ru"}
# Countries of several zones where nearly everybody lives by one (CLDR's "primary zones", which Babel leaves out).
_MAIN = {
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "EC": "America/Guayaquil", "ES": "Europe/Madrid",
    "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon", "UA": "Europe/Kyiv",
}
# What people call countries beside CLDR's names.
_ALSO = {
    "uk": "GB", "u.k.": "GB", "britain": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "anh": "GB", "anh quốc": "GB", "nước anh": "GB", "usa": "US", "u.s.": "US", "u.s.a.": "US", "us": "US",
    "america": "US", "mỹ": "US", "nước mỹ": "US", "pháp": "FR", "nhật": "JP", "đức": "DE", "nga": "RU", "úc": "AU",
    "hàn": "KR", "trung quốc": "CN", "korea": "KR", "south korea": "KR", "republic of korea": "KR", "한국": "KR",
    "남한": "KR", "대한민국": "KR", "중국": "CN", "영국": "GB", "미국": "US", "русия": "RU", "южная корея": "KR",
    "корея": "KR", "сша": "US", "англия": "GB", "韩国": "KR", "南韩": "KR", "韓国": "KR", "英国": "GB", "美国": "US",
    "中国大陆": "CN", "英國": "GB", "美國": "US", "韓國": "KR", "法國": "FR", "德國": "DE", "アメリカ": "US",
    "米国": "US", "中国": "CN", "イギリス": "GB", "angleterre": "GB", "grande-bretagne": "GB", "corée": "KR",
    "the netherlands": "NL", "holland": "NL", "taiwan": "TW", "đài loan": "TW", "台湾": "TW", "대만": "TW",
    "hong kong": "HK", "hồng kông": "HK", "香港": "HK", "홍콩": "HK",
}
# Cities of newsrooms and companies that give no zone its name.
_PLACES = {
    "Asia/Shanghai": ("beijing", "pékin", "bắc kinh", "北京", "베이징", "пекин", "guangzhou", "shenzhen"),
    "America/New_York": ("washington", "boston", "miami", "atlanta", "philadelphia", "florida"),
    "America/Chicago": ("houston", "dallas", "texas"),
    "America/Los_Angeles": ("san francisco", "california", "cali", "seattle", "san jose"),
    "Asia/Ho_Chi_Minh": (
        "vietnam", "việt nam", "hanoi", "hà nội", "saigon", "sài gòn", "my tho", "mỹ tho", "ho chi minh city",
    ),
    "Asia/Kolkata": ("delhi", "new delhi", "mumbai"), "Asia/Tokyo": ("osaka", "大阪"), "Asia/Seoul": ("busan", "부산"),
    "Europe/Moscow": ("saint petersburg", "st petersburg", "санкт-петербург", "петербург"),
    "Europe/Paris": ("lyon", "marseille"), "Europe/Berlin": ("munich", "hamburg", "frankfurt"),
    "Australia/Sydney": ("canberra",), "Europe/Zurich": ("geneva", "genève"),
}


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for locale in LOCALES.values():
        for code, name in Locale.parse(locale).territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(fold(name), code)
    return names | {fold(name): code for name, code in _ALSO.items()}


def country_of(name: str) -> str | None:
    """Return the ISO code of a country named in any of our languages ("Royaume-Uni", "영국"), else None."""
    folded = fold(name).strip(" .,;!。，、")
    return _countries().get(folded) or _countries().get(folded.removeprefix("the "))


def country_names() -> dict[str, str]:
    """Return every name of a country that is understood, folded, with its ISO code."""
    return _countries()


@lru_cache(maxsize=1)
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    zones: dict[str, list[str]] = {}
    known = available_timezones()
    for zone, country in get_global("zone_territories").items():
        if zone in known:
            zones.setdefault(country, []).append(zone)
    return {country: tuple(found) for country, found in zones.items()}


def zone_of_country(name: str) -> str | None:
    """Return the zone of a country that has one (or nearly); None for others and for what is no country."""
    code = country_of(name)
    if code is None:
        return None
    zones = _zones_by_country().get(code, ())
    # The same clock all year is one zone, whatever its cities are called.
    moments = [dt.datetime(dt.datetime.now(CITY).year, month, 15, tzinfo=dt.UTC) for month in (1, 7)]
    clocks = {tuple(ZoneInfo(zone).utcoffset(moment) for moment in moments) for zone in zones}
    return zones[0] if len(clocks) == 1 else _MAIN.get(code)


@lru_cache(maxsize=1)
def _places() -> dict[str, str]:
    places: dict[str, str] = {}
    # Only CLDR's zones: the others are old names of the same ("Europe/Belfast" is called London too).
    for zone in (zone for zones in _zones_by_country().values() for zone in zones if not zone.startswith("Etc/")):
        for locale in LOCALES.values():
            places.setdefault(fold(place_name(zone, locale)), zone)
        places.setdefault(fold(zone.rpartition("/")[2].replace("_", " ")), zone)
    return places | {fold(place): zone for zone, found in _PLACES.items() for place in found}


def zone_of_place(name: str) -> str | None:
    """Return the zone of a city that has a zone's name ("London", "파리"), or of a country; else None."""
    folded = fold(name).strip(" .,;!。，、")
    if name.strip() in available_timezones():
        return name.strip()
    return _places().get(folded) or zone_of_country(name)


def place_name(zone: str, locale: str) -> str:
    """Return the city of a zone in a locale: "Londres"."""
    return get_timezone_location(zone, locale=locale, return_city=True)


def place_of(zone: dt.tzinfo, language: str) -> str:
    """Return how a zone is called to a reader: its city, or "UTC+01:00" for a bare offset."""
    key = getattr(zone, "key", "")
    if key.startswith("Etc/GMT"):
        hours = -int(key.removeprefix("Etc/GMT"))
        return f"GMT{hours:+d}"
    if "/" in key:
        return place_name(key, LOCALES[language])
    return str(zone)


def is_zone(name: str) -> bool:
    """Tell whether a name from outside (a form, a client) is a time zone we know."""
    return name in available_timezones()


def day_text(moment: dt.datetime, language: str) -> str:
    """Return a day with its weekday: "mardi 24 novembre 2026"."""
    return format_date(moment, "full", locale=LOCALES[language])


def clock_text(moment: dt.datetime, language: str) -> str:
    """Return the hour of a moment in its own zone, on a clock of 24 hours."""
    return format_time(moment, "HH:mm", tzinfo=moment.tzinfo, locale=LOCALES[language])


def moment_text(moment: dt.datetime, language: str) -> str:
    """Return day and hour of a moment in its own zone: "24 November 2026, 07:30"."""
    day = format_date(moment, "long", locale=LOCALES[language])
    return f"{day}, {clock_text(moment, language)}"
