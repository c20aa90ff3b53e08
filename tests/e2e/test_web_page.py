"""The web chat as people use it: typing, keyboard alone, a phone, another site's page."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack, eventually

pytestmark = pytest.mark.e2e
KOREAN = "빈짱 사원은 몇 시에 열어요?"


def ask(page: Any, words: str) -> None:
    page.get_by_role("textbox").fill(words)
    page.keyboard.press("Enter")


def last_reply(page: Any) -> Any:
    return page.locator("#log article.reply").last


def conversation(page: Any) -> str:
    return page.evaluate("JSON.parse(localStorage.getItem('citydesk')).conversation")


def test_a_question_typed_in_korean_is_answered_with_source_and_date(
    stack: Stack, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{stack.chat}/", locale="ko-KR")
    ask(page, KOREAN)
    reply = last_reply(page)
    reply.wait_for()
    assert "06:30" in reply.inner_text()
    link = reply.locator("footer.source a")
    assert link.get_attribute("href").startswith("https://csdl.vietnamtourism.gov.vn")
    assert reply.locator("footer.source time").get_attribute("datetime")
    assert "noopener" in (link.get_attribute("rel") or "")
    assert stack.turns("web", conversation(page))[0]["outcome"] == "answered"


def test_the_page_says_that_it_is_a_machine_in_the_readers_language(
    stack: Stack, open_page: Callable[..., Any]
) -> None:
    for locale, words in (
        ("vi-VN", "đang trò chuyện với máy"),
        ("en-GB", "talking to a machine"),
        ("fr-FR", "machine"),
    ):
        page = open_page(f"{stack.chat}/", locale=locale)
        page.locator("#machine").wait_for()
        assert words in page.locator("#machine").inner_text()
        assert page.locator("html").get_attribute("lang") == locale[:2]


def test_everything_can_be_done_with_the_keyboard(stack: Stack, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{stack.chat}/", locale="en-GB")
    page.locator("#machine").wait_for()
    for _ in range(30):
        if page.evaluate("document.activeElement.id") == "input":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "input"
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.locator("#log button.choice").first.wait_for()
    for _ in range(30):
        if "Press request" in page.evaluate("document.activeElement.textContent"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    asked = page.locator("#log").get_by_text("What is your full name?")
    asked.first.wait_for(timeout=10_000)


def test_the_log_is_announced_to_screen_readers_and_everything_has_a_name(
    stack: Stack, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{stack.chat}/", locale="en-GB")
    page.locator("#machine").wait_for()
    assert page.locator("#log").get_attribute("role") == "log"
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, a[href], select, textarea')]
           .filter((each) => each.checkVisibility())
           .filter((each) => !each.ariaLabel && !each.textContent.trim() && !each.labels?.length)
           .map((each) => each.outerHTML)"""
    )
    assert nameless == []
    assert page.get_by_role("textbox", name="Your question").is_visible()
    assert page.get_by_role("button", name="Send", exact=True).is_visible()


def test_the_language_menu_changes_the_page_and_the_answers(
    stack: Stack, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{stack.chat}/", locale="en-GB")
    page.locator("#machine").wait_for()
    page.locator("#language").select_option("ja")
    eventually(lambda: page.locator("html").get_attribute("lang") == "ja", 5)
    ask(page, "When is Vĩnh Tràng Pagoda open?")
    last_reply(page).wait_for()
    assert "ヴィンチャン寺" in last_reply(page).inner_text()


def test_what_was_said_is_still_there_after_a_reload(stack: Stack, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{stack.chat}/", locale="ko-KR")
    ask(page, KOREAN)
    last_reply(page).wait_for()
    before = conversation(page)
    page.reload()
    last_reply(page).wait_for()
    assert "06:30" in last_reply(page).inner_text()
    assert conversation(page) == before
    assert page.locator("#log article").count() == 2


def test_what_people_type_is_never_markup(stack: Stack, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{stack.chat}/", locale="en-GB")
    ask(page, "<img src=x onerror=\"document.title='broken'\"> <b>bold</b>")
    last_reply(page).wait_for()
    assert page.locator("#log article.mine b, #log article.mine img").count() == 0
    assert page.title() != "broken"


def test_on_a_phone_nothing_sticks_out_and_targets_are_big_enough(
    stack: Stack, open_page: Callable[..., Any]
) -> None:
    page = open_page(
        f"{stack.chat}/",
        locale="vi-VN",
        viewport={"width": 360, "height": 640},
        has_touch=True,
        is_mobile=True,
    )
    page.locator("#machine").wait_for()
    ask(page, "Chùa Vĩnh Tràng mở cửa lúc mấy giờ?")
    last_reply(page).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = page.locator("#form button[type=submit]").bounding_box()
    assert min(box["width"], box["height"]) >= 40
    field = page.locator("#input").bounding_box()
    assert field["y"] + field["height"] <= 640
    assert float(page.locator("#input").evaluate("each => parseFloat(getComputedStyle(each).fontSize)")) >= 16


def test_a_message_that_does_not_get_through_can_be_sent_again(
    stack: Stack, open_page: Callable[..., Any]
) -> None:
    page = open_page(f"{stack.chat}/", locale="ko-KR")
    page.locator("#machine").wait_for()
    page.context.set_offline(True)
    ask(page, KOREAN)
    again = page.locator("button.again")
    again.wait_for(timeout=20_000)
    page.context.set_offline(False)
    if again.is_visible():
        again.click()
    last_reply(page).wait_for()
    assert len(stack.turns("web", conversation(page))) == 1


@pytest.fixture
def portal(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """Another site's page, with the widget's one tag in it."""
    (tmp_path / "index.html").write_text(
        f"""<!doctype html><html lang="fr"><title>Portail</title>
        <style>* {{ color: red; font-size: 40px }}</style>
        <h1>Portail de la ville</h1><script src="{stack.chat}/widget.js" async></script></html>""",
        encoding="utf-8",
    )
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_the_widget_answers_on_another_sites_page(
    stack: Stack, portal: str, open_page: Callable[..., Any]
) -> None:
    page = open_page(portal, locale="fr-FR")
    page.locator("button.launch").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("textbox").fill("À quelle heure ouvre la pagode Vĩnh Tràng ?")
    frame.get_by_role("textbox").press("Enter")
    reply = frame.locator("#log article.reply").last
    reply.wait_for()
    assert re.search(r"6\s?h\s?30", reply.inner_text())
    assert frame.locator("html").get_attribute("lang") == "fr"
    frame.get_by_role("textbox").press("Escape")
    eventually(
        lambda: page.locator("button.launch").is_visible() or page.wait_for_timeout(50),
        5,
        "Escape does not close it",
    )


def test_the_page_may_not_be_framed_but_the_widgets_page_may(stack: Stack) -> None:
    import httpx

    assert "frame-ancestors 'self'" in httpx.get(f"{stack.chat}/").headers["content-security-policy"]
    assert "frame-ancestors 'self' *" in httpx.get(f"{stack.chat}/embed").headers["content-security-policy"]
