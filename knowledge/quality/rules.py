"""The rules that one entry is checked against by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

from knowledge.models import MAX_ANSWER, Category, Sensitivity
from knowledge.numbers import REGION, phones, stated
from knowledge.quality.findings import Finding
from nlu.languages import CODES, SOURCE

Data = Mapping[str, Any]

YEAR = dt.timedelta(days=365)
SOON = dt.timedelta(days=30)
# People really ask in so many ways; an entry with fewer is found by chance.
WAYS_TO_ASK = 5
# What a visitor meets must be there in every language; of the rest Vietnamese and English are the least.
EVERY_LANGUAGE = {
    Category.TOURISM, Category.FOOD, Category.TRANSPORT, Category.PRACTICAL, Category.OVERSEAS, Category.PRESS,
}  # fmt: skip
LEAST = (SOURCE, "en")
# 113, 1022: numbers that have no international form.
SHORT = 8
_url = URLValidator(schemes=["http", "https"])


def check_entry(data: Data, today: dt.date) -> list[Finding]:
    """Return what is to be looked at in one entry on a day, in the order of the rules."""
    found = [
        (rule, language, detail)
        for check in (_dates, _links, _phone, _languages, _texts, _same_numbers)
        for rule, language, detail in check(data, today)
    ]
    return [Finding(rule, data["slug"], language, detail) for rule, language, detail in found]


def compare(source: str, source_language: str, text: str, language: str) -> list[tuple[str, str]]:
    """Return how the numbers and telephone numbers of a translation differ from its original's: (rule, detail)."""
    there, here = stated(source, source_language), stated(text, language)
    found = []
    if there != here:
        found.append(("numbers", _difference(there - here, here - there)))
    if (calls := phones(source)) != (own := phones(text)):
        found.append(("phones", _difference(calls - own, own - calls)))
    return found


def _dates(data: Data, today: dt.date) -> Iterator[tuple[str, str, str]]:
    verified, review, until = data["verified_on"], data["review_by"], data["valid_until"]
    if verified > today:
        yield "dates", "", f"kiểm tra ngày {verified}, chưa tới / verified on {verified}, a day to come"
    if review and review <= verified:
        yield "dates", "", f"kiểm tra lại {review} không sau {verified} / review {review} is not after {verified}"
    elif review and review <= today + SOON:
        yield "due", "", f"trước {review} / by {review}"
    for first, last in (("valid_from", "valid_until"), ("event_start", "event_end")):
        if data[first] and data[last] and data[first] > data[last]:
            yield "dates", "", f"{data[last]} trước {data[first]} / {data[last]} is before {data[first]}"
    if until and until < today:
        yield "expired", "", f"từ {until} / since {until}"
    if not data["event_repeats"] and (end := data["event_end"] or data["event_start"]) and end < today:
        yield "event_over", "", f"{end}"
    for source in data["sources"]:
        if source["seen_on"] > today:
            yield "dates", "", f"nguồn xem ngày {source['seen_on']}, chưa tới / source seen on a day to come"
        elif source["seen_on"] < today - YEAR:
            yield "old_source", "", f"{source['title']}: {source['seen_on']}"


def _links(data: Data, _: dt.date) -> Iterator[tuple[str, str, str]]:
    for address in filter(None, [data["web"], *(each["url"] for each in data["sources"])]):
        try:
            _url(address)
        except ValidationError:
            yield "link", "", address


def _phone(data: Data, _: dt.date) -> Iterator[tuple[str, str, str]]:
    if not (phone := data["phone"]) or (len(phone) < SHORT and phone.isdecimal()):
        return
    try:
        number = parse(phone, REGION)
        right = format_number(number, PhoneNumberFormat.INTERNATIONAL)
        if not is_valid_number(number) or [*filter(str.isdigit, right)] != [*filter(str.isdigit, phone)]:
            yield "phone", "", f"{phone} → {right}"
    except NumberParseException:
        yield "phone", "", phone


def _languages(data: Data, _: dt.date) -> Iterator[tuple[str, str, str]]:
    if data["sensitivity"] != Sensitivity.PUBLIC:
        return
    wanted = CODES if data["category"] in EVERY_LANGUAGE else LEAST
    if missing := [code for code in wanted if code not in data["translations"]]:
        yield "languages", "", ", ".join(missing)


def _texts(data: Data, _: dt.date) -> Iterator[tuple[str, str, str]]:
    for language, text in data["translations"].items():
        if (length := len(text["answer"].strip())) > MAX_ANSWER:
            yield "length", language, f"{length} > {MAX_ANSWER}"
        ways = {each.casefold() for each in text["other_questions"]} - {text["question"].casefold()}
        if len(ways) < WAYS_TO_ASK:
            yield "questions", language, f"{len(ways)} < {WAYS_TO_ASK}"


def _same_numbers(data: Data, _: dt.date) -> Iterator[tuple[str, str, str]]:
    texts = data["translations"]
    for language, text in texts.items():
        source = text["source_language"]
        if source in texts:
            for rule, detail in compare(texts[source]["answer"], source, text["answer"], language):
                yield rule, language, detail


def _difference(missing: set[Any], more: set[Any]) -> str:
    parts = [("thiếu / missing", missing), ("thêm / more", more)]
    return "; ".join(f"{name} {', '.join(sorted(map(_plain, each)))}" for name, each in parts if each)


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
