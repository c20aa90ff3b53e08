"""Old addresses: which ward or commune of today an address from before 1 July 2025 lies in.

The table is that of underthesea (all of Vietnam, 10,000 old units); what is ours is finding the old unit in people's
words. Sources: National Assembly resolution 202/2025/QH15 (provinces) and the resolutions of its Standing Committee on
wards and communes, as the library has them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from nlu.text import fold

# When the new units took effect.
SINCE = "2025-07-01"
CITY = ("Thành phố Mỹ Tho", "Tỉnh Tiền Giang")
OLD_CITY_NAME = "TP. Mỹ Tho, Tiền Giang"
_UNIT = (
    r"(?P<unit>phuong|xa|thi tran|ward|commune|p\.|x\.|tt\.)\s*(?:so\s+)?"
    r"(?P<name>\d{1,2}\b|[a-z]+(?: [a-z]+){0,3})"
)
_WARD = re.compile(rf"(?<![a-z]){_UNIT}|(?<![a-z])p(?P<short>\d{{1,2}})(?![\d.,]*\d)")
_MY_THO = re.compile(r"(?<![a-z])my ?tho(?![a-z])")
# Words by which people ask what has become of a place; an address as it stands on a letter needs none of them.
_ASKS = re.compile(
    r"(?<![a-z])(cu|nay|gio|bay gio|hien nay|hien gio|moi|doi|sap nhap|sat nhap|old|former|formerly|now|new|today"
    r"|changed|became|become|merged|convert|ancien\w*|maintenant|aujourd'hui|nouve\w+|devenu\w*)(?![a-z])"
    r"|现在|現在|原来|以前|改|합병|지금|옛|예전|현재|いま|今|旧|以前|合併|бывш|старый|теперь|сейчас|нынеш"
)
_QUESTION = re.compile(r"[?？]|(?<![a-z])(o dau|the nao|bao nhieu|may gio|where is|how|when|what time)(?![a-z])")


@dataclass(frozen=True)
class Converted:
    """An old address and where it lies now; `divided` when the old unit was split and only the larger part is named."""

    old: str
    new: str
    divided: bool


def convert(text: str) -> Converted | None:
    """Return what has become of the old address in a message, None when there is none or nobody asks for it.

    Somebody asks by naming an old unit with a word such as "cũ", "nay", "old" or "now", or by pasting an address that
    ends with a district and a province; "where is the bank in ward 4" asks for a bank.
    """
    folded = fold(text).lower()
    return _in_my_tho(folded) or _pasted(text, folded)


def _in_my_tho(folded: str) -> Converted | None:
    match = _WARD.search(folded)
    if not match or not _ASKS.search(folded):
        return None
    if not _MY_THO.search(folded) and not re.search(r"(?<![a-z])(cu|old|former)(?![a-z])", folded):
        return None
    words = (match["short"] or match["name"]).split()
    rural = (match["unit"] or "").startswith(("x", "commune"))
    # As many words as make a name that exists: "phuong tan long nay" is Tân Long.
    for count in range(len(words), 0, -1):
        for unit in ("xa", "phuong") if rural else ("phuong", "xa"):
            if rows := _rows(f"{unit} {' '.join(words[:count])}", *CITY):
                return _converted(rows, f"{rows[0]['old_ward']}, {OLD_CITY_NAME}")
    return None


def _pasted(text: str, folded: str) -> Converted | None:
    from underthesea.address.parser import parse_address

    if folded.count(",") < 2 or (_QUESTION.search(folded) and not _ASKS.search(folded)):
        return None
    address = text.strip(" .?!")
    parts = parse_address(address)
    rows = _rows(parts.ward, parts.district, parts.province)
    return _converted(rows, address, parts.street) if rows else None


def _converted(rows: list[dict[str, Any]], old: str, street: str = "") -> Converted:
    best = next((row for row in rows if row.get("is_default")), rows[0])
    # The parser's lower case would rename a street: it is taken as it was written.
    written = old[: len(street)] if street and fold(old[: len(street)]).lower() == fold(street).lower() else ""
    new = ", ".join(part for part in (written, best["new_ward"], best["new_province"]) if part)
    return Converted(old, new, divided=best["mapping_type"] == "divided")


def _rows(ward: str, district: str, province: str) -> list[dict[str, Any]]:
    """Return the rows of one old unit; all three names must fit (the library falls back to any ward so named)."""
    from underthesea.address.normalizer import normalize_key

    key = (_bare(normalize_key(province)), _bare(normalize_key(district)), normalize_key(ward))
    return _table().get(key, [])


@cache
def _table() -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    data = json.loads(files("underthesea.address").joinpath("data", "mapping.json").read_text(encoding="utf-8"))
    table: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in data["ward_mapping"]:
        key = (_bare(row["old_province_key"]), _bare(row["old_district_key"]), row["old_ward_key"])
        table.setdefault(key, []).append(row)
    return table


def _bare(key: str) -> str:
    """Return a key without its kind: people write "Tiền Giang", the table "Tỉnh Tiền Giang"."""
    return re.sub(r"^(tinh|thanhpho|thixa|huyen|quan|tp)(?=[a-z])", "", key)
