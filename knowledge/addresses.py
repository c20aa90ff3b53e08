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
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

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


_KINDS = {
    "tp": "thanh pho ", "p": "phuong ", "f": "phuong ", "x": "xa ", "tt": "thi tran ", "tx": "thi xa ", "q": "quan ",
    "h": "huyen ", "t": "tinh ",
}
_SHORT = re.compile(r"^(tp|tt|tx|p|f|x|q|h|t)(?:\.\s*|\s+|(?=\d))")


class Row(NamedTuple):
    """What became of (a part of) one old unit."""

    old_ward: str
    new_ward: str
    new_province: str
    default: bool
    divided: bool


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
                return _converted(rows, f"{rows[0].old_ward}, {OLD_CITY_NAME}")
    return None


def _pasted(text: str, folded: str) -> Converted | None:
    if folded.count(",") < 2 or (_QUESTION.search(folded) and not _ASKS.search(folded)):
        return None
    address = text.strip(" .?!")
    *street, ward, district, province = [part.strip() for part in address.split(",")]
    rows = _rows(ward, district, province)
    return _converted(rows, address, ", ".join(street)) if rows else None


def _converted(rows: list[Row], old: str, street: str = "") -> Converted:
    best = next((row for row in rows if row.default), rows[0])
    new = ", ".join(part for part in (street, best.new_ward, best.new_province) if part)
    return Converted(old, new, best.divided)


def _rows(ward: str, district: str, province: str) -> list[Row]:
    """Return the rows of one old unit; all three names must fit (the library falls back to any ward so named)."""
    return _table().get((_bare(_key(province)), _bare(_key(district)), _key(ward)), [])


@cache
def _table() -> dict[tuple[str, str, str], list[Row]]:
    # The library's file alone: importing the package would bring its language models' libraries, half a gigabyte.
    [folder] = find_spec("underthesea").submodule_search_locations
    data = json.loads((Path(folder) / "address" / "data" / "mapping.json").read_text(encoding="utf-8"))
    table: dict[tuple[str, str, str], list[Row]] = {}
    for row in data["ward_mapping"]:
        key = (_bare(row["old_province_key"]), _bare(row["old_district_key"]), row["old_ward_key"])
        found = Row(
            row["old_ward"], row["new_ward"], row["new_province"], bool(row.get("is_default")),
            row["mapping_type"] == "divided",
        )
        table.setdefault(key, []).append(found)
    return table


def _key(name: str) -> str:
    """Return a name as the table has it: kind and name in one, without marks and spaces ("P.4": "phuong4")."""
    folded = fold(name).lower().strip()
    folded = _SHORT.sub(lambda found: _KINDS[found[1]], folded)
    return re.sub(r"[^a-z0-9]", "", folded)


def _bare(key: str) -> str:
    """Return a key without its kind: people write "Tiền Giang", the table "Tỉnh Tiền Giang"."""
    return re.sub(r"^(tinh|thanhpho|thixa|huyen|quan|tp)(?=[a-z0-9])", "", key)
