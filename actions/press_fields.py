"""Checks of what only a journalist is asked: the outlet, the format, the deadline and whose time it is."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from actions.deadline import DeadlineError, Moment, PastDeadlineError, read_moment
from actions.fields import bare, bares, button_label, check_name, letters, plain, says, text_check, words
from actions.form_model import Checked, FieldError, Reading
from desk.zones import CITY, is_zone, moment_text, place_of, zone_of_country, zone_of_place
from nlu.text import fold

MIN_SUBJECT = 10
MAX_SUBJECT = 4000
# "Sarah Miller, BBC": an abbreviation after a comma is the outlet.
_NAME_AND_OUTLET = re.compile(r"^(?P<name>[^,;/]+?)\s*[,;/]\s*(?P<outlet>[A-Z][A-Z0-9.&-]{1,9}(?:\s+[\w .&-]+)?)$")
check_subject = text_check(MIN_SUBJECT, MAX_SUBJECT, "utter_press_bad_subject")


def check_name_and_outlet(text: str, reading: Reading) -> Checked:
    """Accept a name, and an outlet behind it."""
    both = _NAME_AND_OUTLET.match(plain(text))
    if not both:
        return check_name(text, reading)
    also = {} if reading.fields.get("outlet") else {"outlet": both["outlet"]}
    return Checked(check_name(both["name"], reading).value, also=also)


def check_outlet(text: str, reading: Reading) -> Checked:
    """Accept anything that has two letters (channels have numbers in their names)."""
    value = plain(text)
    if letters(value) < 2 or len(value) > 150 or "@" in value:
        raise FieldError("utter_press_bad_outlet")
    return Checked(value)


def check_format(text: str, reading: Reading) -> Checked:
    """Accept a button's value, or words that mean one of them."""
    folded = fold(text)
    formats: dict[str, list[str]] = words()["formats"]
    if text in formats:
        return Checked(text, button_label("utter_ask_press_format", text, reading.language))
    for code, listed in formats.items():
        if any(says(folded, word) for word in listed):
            return Checked(code, button_label("utter_ask_press_format", code, reading.language))
    raise FieldError("utter_press_bad_format")


def check_deadline(text: str, reading: Reading, now: datetime | None = None) -> Checked:
    """Accept a future moment, "no deadline", or "as soon as possible".

    Whose time it is in, the words say, or the country of the outlet, or the next question (the field `zone`); until
    then it is read in the city's.
    """
    if text == "none" or bare(text) in bares("no_deadline"):
        label = button_label("utter_ask_press_deadline", "none", reading.language)
        return Checked("none", label, {"deadline_words": None})
    if bare(text) in bares("soon"):
        return Checked("none", text.strip(), {"deadline_words": None})
    if stored := _stored(text):
        return Checked(text, reading.fields.get("deadline_label") or _label(stored, CITY, reading.language))
    zone = _zone_known(reading)
    moment = _read(text, reading.language, zone or CITY, now)
    also: dict[str, str | None] = {"deadline_words": text, "zone": None}
    if key := getattr(moment.zone, "key", ""):
        also["zone"] = key
    return Checked(_iso(moment.at), _label(moment.at, moment.zone or zone or CITY, reading.language), also)


def check_zone(text: str, reading: Reading, now: datetime | None = None) -> Checked:
    """Accept a place whose time somebody lives by, and read the deadline in it; "" is the city's."""
    zone = "" if text in ("", "city") else zone_of_place(plain(text))
    if zone is None:
        zone = _named(text)
    if zone is None:
        raise FieldError("utter_press_bad_zone")
    said = reading.fields.get("deadline_words")
    if not said:
        return Checked(zone)
    default = ZoneInfo(zone) if zone else CITY
    try:
        moment = _read(said, reading.language, default, now)
    except FieldError as error:
        # It has passed there: the deadline is asked again, and then read in this zone.
        raise FieldError(error.response, also=("deadline", "deadline_label", "deadline_words")) from None
    label = _label(moment.at, moment.zone or default, reading.language)
    return Checked(zone, also={"deadline": _iso(moment.at), "deadline_label": label})


def prefill_zone(first_message: str, reading: Reading) -> str | None:
    """Return the zone that the outlet's country settles; without an hour it is not worth a question."""
    if zone := _zone_known(reading):
        return zone
    said = reading.fields.get("deadline_words")
    if not said:
        return "city"
    try:
        return None if read_moment(said, reading.language).hour else "city"
    except DeadlineError:
        return "city"


def _zone_known(reading: Reading) -> str | None:
    return zone_of_country(str(reading.fields.get("country") or ""))


def _named(text: str) -> str | None:
    """Return the zone of "KST", "London time", "GMT+9"."""
    try:
        zone = read_moment(f"31/12 23:59 {text}", "en").zone
    except DeadlineError:
        return None
    key = getattr(zone, "key", "")
    return key if is_zone(key) else None


def _read(text: str, language: str, zone: ZoneInfo | str, now: datetime | None) -> Moment:
    default = ZoneInfo(zone) if isinstance(zone, str) else zone
    try:
        return read_moment(text, language, now, default)
    except PastDeadlineError:
        raise FieldError("utter_press_past_deadline") from None
    except DeadlineError:
        raise FieldError("utter_press_bad_deadline") from None


def _stored(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo and "T" in text else None


def _iso(moment: datetime) -> str:
    return moment.astimezone(CITY).isoformat(timespec="minutes")


def _label(moment: datetime, zone: ZoneInfo | str, language: str) -> str:
    """Return the moment as the reader's summary shows it: in their zone, and in the city's."""
    own = moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    city = moment.astimezone(CITY)
    vietnam = f"{moment_text(city, language)} (GMT+7)"
    if own.utcoffset() == city.utcoffset():
        return vietnam
    return f"{moment_text(own, language)} ({place_of(own.tzinfo, language)}) = {vietnam}"
