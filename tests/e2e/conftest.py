"""One stack for all end-to-end tests; each test talks in chats of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.people import TelegramPerson, WebPerson
from tests.e2e.stack import Emulator, Stack, install_emulator, missing

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The Telegram Bot API emulator (npm: telegram-test-api)."""
    if reason := install_emulator():
        pytest.skip(reason)
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def stack(emulator: Emulator) -> Iterator[Stack]:
    """The real processes; a test that fails shows the ends of their logs."""
    if reason := missing():
        pytest.skip(reason)
    with Stack(telegram=emulator.url) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        for name in ("bot", "actions", "rasa", "knowledge", "desk"):
            report.sections.append((f"end of {name}'s log", stack.tail(name, 15)))
    return report


@pytest.fixture(autouse=True)
def everything_runs(stack: Stack) -> None:
    """Start again what an earlier test has left down."""
    for name in ("knowledge", "actions", "rasa", "bot", "desk"):
        if name not in stack.processes or stack.processes[name].poll() is not None:
            stack.start(name)


@pytest.fixture
def web(stack: Stack) -> WebPerson:
    return WebPerson(stack)


@pytest.fixture
def telegram(stack: Stack, emulator: Emulator) -> TelegramPerson:
    return TelegramPerson(stack, emulator)


@pytest.fixture(params=["web", "telegram"])
def person(request: pytest.FixtureRequest, stack: Stack, emulator: Emulator) -> WebPerson | TelegramPerson:
    """The same person on either channel."""
    return WebPerson(stack) if request.param == "web" else TelegramPerson(stack, emulator)


def _install_chromium() -> str | None:
    if CHROMIUM.exists():
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "Chromium is not installed (apt-get install chromium fonts-noto-cjk)"
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "chromium", "fonts-noto-cjk"],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    return None if CHROMIUM.exists() else f"apt-get could not install Chromium: {done.stderr[-300:]}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium without a window (closed with the module: its event loop must not meet others')."""
    if reason := _install_chromium():
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a fresh page; script errors on any of them fail the test."""
    contexts, errors = [], []

    def open_(url: str, **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def staff(stack: Stack, open_page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that opens the console as somebody of a role (`user` names a second one of the same role)."""

    def sign_in(role: str, user: str = "", **options: Any) -> Any:
        printed = stack.manage("staff_login", "--role", role, "--user", user or role)
        url = next(word for word in printed.split() if word.startswith("http"))
        return open_page(url, **options)

    return sign_in
