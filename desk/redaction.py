"""What people typed, without what would tell who they are: for staff who may read questions, not people's papers."""

from __future__ import annotations

import re

# E-mail and web addresses, @names, and numbers long enough to be a telephone or a card.
_CONTACT = re.compile(r"\S+@\S+|https?://\S+|(?<!\w)@\w+|\+?\d[\d .()/-]{6,}\d")
_WORD = r"[^\W\d_]+"
# "My name is …" in the seven languages; a name has up to four words where words are set apart.
_NAMED = re.compile(
    rf"((?:tên (?:tôi|em|mình|tui|cháu|con) là|(?:tôi|em|mình|tui|cháu|con) tên(?: là)?|my name is|je m[’']appelle|"
    rf"mon nom est|меня зовут)\s+){_WORD}(?:\s+{_WORD}){{0,3}}|(我叫|我的名字是)[\u3400-\u9fff·]{{2,4}}|"
    rf"((?:제|내) 이름은\s*)\S+|((?:私の)?名前は)[^\s、。]+",
    re.IGNORECASE,
)
GONE = "…"


def stripped(text: str) -> str:
    """Return a text on one line without addresses, numbers and names by which its author could be found."""
    text = _CONTACT.sub(GONE, " ".join(text.split()))
    return _NAMED.sub(lambda found: next((each for each in found.groups() if each), "") + GONE, text)
