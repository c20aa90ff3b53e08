"""Reads a web page saved as HTML: headings are questions, the text under them answers, the page itself the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, PageElement, Tag
from django.utils import timezone

from knowledge.exchange.columns import tidy
from knowledge.exchange.sections import Section, rows
from knowledge.exchange.table import Read

# Around the text on every page of a site, and what is no text.
_ASIDE = (
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "header",
    "footer",
    "aside",
    "form",
    "iframe",
    "svg",
    "button",
)
_BLOCKS = {
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "hr", "li", "main", "ol",
    "p", "pre", "section", "table", "tbody", "td", "th", "tr", "ul",
}  # fmt: skip
_SAVED_FROM = re.compile(r"saved from url=\(\d+\)(https?://\S+)")


def read_html(data: bytes) -> Read:
    """Return a row for every heading with text under it; raises FileError for a page without headings.

    The page is the source of each, where it says its own address (a canonical link, or the browser's note).
    """
    page = BeautifulSoup(data, "lxml")
    sources = _page(page)
    for tag in page.find_all(_ASIDE):
        tag.decompose()
    return rows(_sections(page.find("main") or page.find("article") or page.body or page), sources)


def _page(page: BeautifulSoup) -> list[dict[str, Any]]:
    link = page.find("link", rel="canonical")
    shared = page.find("meta", property="og:url")
    address = str((link and link.get("href")) or (shared and shared.get("content")) or "")
    if not address:
        notes = (_SAVED_FROM.search(note) for note in page.find_all(string=lambda text: isinstance(text, Comment)))
        address = next((found[1] for found in notes if found), "")
    if not re.fullmatch(r"https?://\S{1,990}", address):
        return []
    title = tidy(page.title.get_text(" ")) if page.title else ""
    return [{"title": " ".join(title.split())[:300] or address[:300], "url": address, "seen_on": timezone.localdate()}]


def _sections(root: Tag) -> Iterator[Section]:
    section: Section | None = None
    text: list[str] = []
    for kind, value in _walk(root):
        if kind == "text":
            text.append(value)
            continue
        if section and (paragraph := " ".join("".join(text).split())):
            section.paragraphs.append(paragraph)
        text = []
        if kind == "heading" and (heading := " ".join(value[1:].split())):
            if section:
                yield section
            section = Section(int(value[0]), heading)
    if section:
        yield section


def _walk(root: Tag) -> Iterator[tuple[str, str]]:
    """Yield what a reader sees in order: pieces of text, ends of blocks, headings as their level and text."""
    pending: list[PageElement | str] = ["", *reversed([*root.children])]
    while pending:
        each = pending.pop()
        if isinstance(each, Tag):
            if re.fullmatch(r"h[1-6]", each.name):
                yield "heading", each.name[1] + each.get_text(" ")
                continue
            block = each.name in _BLOCKS
            if block:
                yield "block", ""
            pending += [*([""] if block else []), *reversed([*each.children])]
        elif isinstance(each, NavigableString):
            if type(each) is NavigableString:
                yield "text", str(each)
        else:
            yield "block", ""
