"""Takes the guide's and the manual's pictures: `python -m tests.pictures` starts the real console on starter content.

Written to knowledge/static/knowledge/guide/ and docs/images/ as WebP; the same pages, so that they show what staff see.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.e2e.stack import ROOT, Stack, missing

OUT = ROOT / "knowledge" / "static" / "knowledge" / "guide"
DOCS = ROOT / "docs" / "images"
SIZE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
CHROMIUM = "/usr/bin/chromium"
ENTRY, TEXT = "vinh-trang-visit", "from-ho-chi-minh-city"
FIND = """
import django; django.setup()
from knowledge.models import Entry, Translation
entry = Entry.objects.get(slug={entry!r})
texts = dict(Translation.objects.filter(entry__slug={text!r}).values_list("language", "pk"))
print(entry.pk, texts["vi"], texts["ko"])
"""

# An empty page teaches nothing: what some asked in vain.
ASKED = (
    ("vi", "Mỹ Tho có hồ bơi công cộng không?"), ("vi", "hồ bơi gần trung tâm ở đâu"),
    ("en", "public swimming pool in My Tho"),
    ("ko", "미토에 수영장 있나요"), ("vi", "đi tắm biển Cần Giờ bằng xe gì"), ("en", "how to get to Can Gio beach"),
    ("fr", "location de vélos électriques ?"),
)  # fmt: skip
FILL = f"""
import django; django.setup()
from bot.models import Conversation, Turn
chat = Conversation.objects.create(channel="web", chat_id="guide", language="vi")
for language, text in {ASKED!r}:
    Turn.objects.create(conversation=chat, text=text, language=language, outcome="not_known")
"""
# An inquiry that was answered: its answer can be edited, its steps stand in the audit log.
ANSWERED = """
import django; django.setup()
from django.contrib.auth import get_user_model
from bot.models import Conversation, Message
from desk import answers, tickets
chat = Conversation.objects.create(channel="telegram", chat_id="guide-ticket", language="en")
words = "We pack dried fruit and look for 2,000 square metres near My Tho."
Message.objects.create(conversation=chat, author="user", text=words, state="delivered")
ticket = tickets.open_ticket("investment", conversation=chat, language="en", words=words)
admin = get_user_model().objects.get(is_superuser=True)
tickets.claim(ticket, admin)
answers.answer(
    ticket, admin, "Two lots are free in the park. Shall we send you the plan?",
    "Còn hai lô trống trong khu. Gửi quý vị sơ đồ nhé?",
)
print(ticket.number)
"""


def shoot(page: Page, name: str, folder: Path = OUT) -> None:
    """Save what the window shows."""
    page.wait_for_load_state("networkidle")
    Image.open(io.BytesIO(page.screenshot())).save(folder / f"{name}.webp", quality=72, method=6)
    print(f"→ {name}.webp")


def pictures(page: Page, desk: str, entry: int, vi: int, ko: int) -> None:
    """Go through the pages of the guide."""

    def at(path: str) -> Page:
        page.goto(desk + path)
        return page

    shots: dict[str, Callable[[], Any]] = {
        "home": lambda: at("/"),
        "entry": lambda: at(f"/snippets/knowledge/entry/edit/{entry}/"),
        "text": lambda: at(f"/snippets/knowledge/translation/edit/{vi}/"),
        "translations": lambda: at("/translations/?language=ko&kind=here"),
        "gaps": lambda: at("/gaps/"),
        "quality": lambda: at("/quality/"),
        "files": lambda: at("/exchange/"),
        "stop": lambda: at("/pauses/"),
    }
    for name, go in shots.items():
        go()
        if name in ("gaps", "quality"):  # made by the worker, which does not run here
            page.get_by_role("button", name="Look again now").click(timeout=120_000)
            page.wait_for_load_state("networkidle", timeout=120_000)
        shoot(page, name)
    at(f"/snippets/knowledge/translation/edit/{vi}/")
    page.locator("footer .w-dropdown-button .w-dropdown__toggle").click()
    page.wait_for_timeout(400)
    shoot(page, "steps")
    at(f"/snippets/knowledge/translation/edit/{ko}/")
    shoot(page, "beside")
    at("/try/")
    page.locator("input[name=text]").fill("빈짱 사원은 몇 시에 열어요?")
    page.get_by_role("button", name=re.compile("Hỏi")).click()
    shoot(page, "try")


def of_the_desk(page: Page, desk: str, ticket: str) -> None:
    """Show how a sent answer is edited, and the audit log; on a desktop and on a phone."""
    for suffix, size in (("", SIZE), ("-phone", PHONE)):
        page.set_viewport_size(size)
        page.goto(f"{desk}/tickets/{ticket}/")
        page.get_by_text("Sửa câu đã gửi").click()
        page.get_by_text("Người hỏi thấy câu mới").scroll_into_view_if_needed()
        shoot(page, f"desk-edit{suffix}", DOCS)
        page.goto(f"{desk}/audit/")
        shoot(page, f"desk-audit{suffix}", DOCS)


def of_practice(page: Page, desk: str) -> None:
    """Show the exercises."""
    page.set_viewport_size(SIZE)
    page.goto(f"{desk}/practice/")
    page.get_by_role("button", name=re.compile("Bắt đầu")).click()
    shoot(page, "practice", DOCS)


def main() -> None:
    """Start what the pages need, and take the pictures."""
    if reason := missing():
        sys.exit(reason)
    OUT.mkdir(parents=True, exist_ok=True)
    stack = Stack(language_code="vi")
    try:
        stack.prepare()
        for name in ("knowledge", "desk"):
            stack.launch(name)
        for name in ("knowledge", "desk"):
            stack.wait(name)
        stack.manage(code=FILL)
        entry, vi, ko = map(int, stack.manage(code=FIND.format(entry=ENTRY, text=TEXT)).split()[-3:])
        link = stack.manage("staff_login", "--role", "admin").split()[-1]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_context(viewport=SIZE, locale="vi-VN").new_page()
            page.goto(link)
            page.locator("form button[type=submit]").first.click()
            page.wait_for_url("**/")
            pictures(page, stack.desk, entry, vi, ko)
            of_practice(page, stack.desk)
            of_the_desk(page, stack.desk, stack.manage(code=ANSWERED).split()[-1])
            browser.close()
    finally:
        stack.__exit__()


if __name__ == "__main__":
    main()
