"""The numbers that a text states, whatever language it is in: a translation must state the same ones.

Read are figures with their separators ("1.200", "1,200", "1 200", "1,5"), the words for large units behind them ("1,5
triệu", "150万", "1,5 million") and hours of the afternoon ("7 pm"). Numbers up to twelve are left out: months have
names in one language and figures in another, and small numbers are often written as words.
"""

from __future__ import annotations

import re
from decimal import Decimal

from phonenumbers import PhoneNumberFormat, PhoneNumberMatcher, format_number

# Whose national numbers are meant where a text gives no country's code.
REGION = "VN"

SMALL = 12
# What stands behind a figure and multiplies it. Longer words first: "million" before "mil".
UNITS = {
    "nghìn": 10**3, "ngàn": 10**3, "triệu": 10**6, "tỷ": 10**9,
    "thousand": 10**3, "million": 10**6, "billion": 10**9,
    "mille": 10**3, "millions": 10**6, "milliards": 10**9, "milliard": 10**9,
    "тысяч": 10**3, "тыс": 10**3, "миллион": 10**6, "млн": 10**6, "миллиард": 10**9, "млрд": 10**9,
    "千": 10**3, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12,
    "천": 10**3, "만": 10**4, "억": 10**8, "조": 10**12,
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_SPACE = "[ \u00a0\u202f]"
# Thousands are set apart by a point (a space in some) where fractions have a comma, and the other way round.
_POINTS, _COMMAS = (
    re.compile(
        rf"\d{{1,3}}(?:(?P<sep>{thousands})\d{{3}})(?:(?P=sep)\d{{3}})*(?!\d)(?:{fraction}\d+)?"
        rf"|\d+(?:{fraction}\d+)?"
    )
    for thousands, fraction in ((rf"\.|{_SPACE}", ","), (",", r"\."))
)
_WITH_POINTS = ("vi", "fr", "ru")
_NEXT = re.compile(f"{_SPACE}?")
# Not "ngành" for "ngàn", "tỷ lệ" for "tỷ", 兆瓦 (megawatt) for 兆; 730多万 is "over 7.3 million".
_BEHIND = re.compile(rf"{_SPACE}?[多余餘여]?({_UNIT})(?! lệ|瓦|(?<=ngàn)h)", re.IGNORECASE)
# In "115–120 million" and "3 đến 50 tỷ" the unit belongs to both.
_TO = re.compile(rf"{_SPACE}?(?:[-–~〜～至]|đến|tới|to|à|до|から){_SPACE}?")
# 조 also counts the articles of a law (제28조, 52조): it is 10¹² before a smaller unit or money only.
_ARTICLE = re.compile(r"(제\s?\d+|\d+(?=조(?!\s?(?:\d|원|동|달러))))조")
_CLOCK_PM = re.compile(
    r"\b(\d{1,2})(?::(\d\d))?\s?p\.?m\b|(?:下午|晚上|오후|午後)\s?(\d{1,2})(?=[时點点시時])", re.IGNORECASE
)
# Days with points between their figures: 15.08.2028 and 15.08 (a Russian fraction has a comma), 2028.8.15.
_DATE = {"ru": re.compile(r"\b\d{1,2}\.\d\d(?:\.\d{4})?\b"), "ko": re.compile(r"\b\d{4}\. ?\d{1,2}\. ?\d{1,2}\b")}
# Centuries are counted in Roman figures in these.
_ROMAN = re.compile(r"\b[XVI]{2,}(?=e\b|\b)")
_WITH_ROMAN = ("fr", "ru")
_WORTH = {"I": 1, "V": 5, "X": 10}


def stated(text: str, language: str) -> set[Decimal]:
    """Return the numbers above twelve that a text states, without its telephone numbers (see `phones`)."""
    for found in reversed(list(PhoneNumberMatcher(text, REGION))):
        text = f"{text[: found.start]} {text[found.end :]}"
    text = _CLOCK_PM.sub(lambda found: f"{int(found[1] or found[3]) % 12 + 12}:{found[2] or '00'}", text)
    text = _ARTICLE.sub(r"\1 ", text)
    if language in _DATE:
        text = _DATE[language].sub(lambda found: found[0].replace(".", "/"), text)
    if language in _WITH_ROMAN:
        text = _ROMAN.sub(lambda found: str(_arabic(found[0])), text)
    figures = _POINTS if language in _WITH_POINTS else _COMMAS
    numbers: set[Decimal] = set()
    place = 0
    while figure := figures.search(text, place):
        value, place = _scaled(text, figure)
        if place == figure.end():
            value *= _shared_unit(text, figure, figures)
        # Units stack: 3亿2000万, 9만 3천.
        while place > figure.end() and (more := _NEXT.match(text, place)):
            following = figures.match(text, more.end())
            if not following or not _BEHIND.match(text, following.end()):
                break
            added, end = _scaled(text, following)
            if added >= value:
                break  # a number of its own
            value, place = value + added, end
        numbers.add(value.normalize())
    return {number for number in numbers if number > SMALL}


def phones(text: str) -> set[str]:
    """Return the telephone numbers of a text in their international form."""
    return {format_number(found.number, PhoneNumberFormat.E164) for found in PhoneNumberMatcher(text, REGION)}


def _scaled(text: str, figure: re.Match[str]) -> tuple[Decimal, int]:
    """Return a figure's value with the units behind it ("206 nghìn tỷ" has two), and where they end."""
    value, end = _value(figure), figure.end()
    while unit := _BEHIND.match(text, end):
        value, end = value * UNITS[unit[1].lower()], unit.end()
    return value, end


def _shared_unit(text: str, first: re.Match[str], figures: re.Pattern[str]) -> int | Decimal:
    """Return what the unit behind the second figure of a range multiplies the first by too."""
    to = _TO.match(text, first.end())
    second = figures.match(text, to.end()) if to else None
    if second is None or _value(first) >= _value(second):
        return 1
    return _scaled(text, second)[0] / _value(second)


def _value(figure: re.Match[str]) -> Decimal:
    text, separator = figure[0], figure["sep"]
    if separator:
        text = text.replace(separator, "")
    return Decimal(text.replace(",", "."))


def _arabic(roman: str) -> int:
    worth = [_WORTH[letter] for letter in roman]
    return sum(-here if here < after else here for here, after in zip(worth, [*worth[1:], 0], strict=True))
