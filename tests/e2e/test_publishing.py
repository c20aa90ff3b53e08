"""What editors publish in the console is what the chat says, within seconds and without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.people import WebPerson
from tests.e2e.stack import Stack, eventually

pytestmark = pytest.mark.e2e
SECONDS = 5.0
ADDRESS = """
import django; django.setup()
from django.urls import reverse
from knowledge.models import Entry, Translation
model = {model}
row = model.objects.get({where})
print(reverse(model.snippet_viewset.get_url_name({view!r}), args=[row.pk]))
"""


@pytest.fixture
def editor(staff: Callable[[str], Any]) -> Any:
    page = staff("editor")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    return page


def address(stack: Stack, view: str, entry: str, language: str | None = None) -> str:
    """Return where the console edits (or withdraws) an entry or one of its translations."""
    where = f"entry__slug={entry!r}, language={language!r}" if language else f"slug={entry!r}"
    code = ADDRESS.format(model="Translation" if language else "Entry", where=where, view=view)
    return stack.desk + stack.manage(code=code).strip().splitlines()[-1]


def publish(page: Any, url: str, **fields: str) -> None:
    page.goto(url)
    for name, value in fields.items():
        page.locator(f"[name='{name}']").fill(value)
    with page.expect_navigation():
        page.locator("[name='action-publish']").first.evaluate("button => button.click()")
    assert page.locator(".messages .error, .error-message").count() == 0, page.locator("main").inner_text()[
        :800
    ]


def answer(stack: Stack, question: str) -> str:
    replies = WebPerson(stack).send(text=question)["replies"]
    return "\n".join(reply["text"] for reply in replies)


def test_an_answer_published_in_the_console_is_said_within_five_seconds(stack: Stack, editor: Any) -> None:
    question = "When is Vĩnh Tràng Pagoda open?"
    words = f"Open from 06:30 to 18:00 every day (changed at {time.time():.0f})."
    publish(editor, address(stack, "edit", "vinh-trang-opening-hours", "en"), answer=words)
    eventually(lambda: words in answer(stack, question), SECONDS, "the chat says the old answer")
    [row] = stack.rows(
        """select t.version from knowledge_translation t join knowledge_entry e on e.id = t.entry_id
           where e.slug = 'vinh-trang-opening-hours' and t.language = 'en'"""
    )
    assert row["version"] == 2


def test_another_way_to_ask_is_understood_within_five_seconds(stack: Stack, editor: Any) -> None:
    question = "Where do the zumbo lanterns of Fliptart hang?"
    assert WebPerson(stack).say(question).entry != "central-square"
    publish(editor, address(stack, "edit", "central-square", "en"), other_questions=question)
    eventually(
        lambda: WebPerson(stack).say(question).entry == "central-square", SECONDS, "the index is the old one"
    )


def test_a_draft_is_not_said(stack: Stack, editor: Any) -> None:
    editor.goto(address(stack, "edit", "snake-farm", "en"))
    editor.locator("[name='answer']").fill("This is only a draft.")
    with editor.expect_navigation():
        editor.locator("button.action-save, [name='action-save'], form button[type=submit]").first.evaluate(
            "button => button.click()"
        )
    time.sleep(1.5)
    assert "only a draft" not in answer(stack, "What is the Đồng Tâm snake farm?")


def test_an_entry_withdrawn_in_the_console_is_not_said_any_more(stack: Stack, editor: Any) -> None:
    question = "What is the Đồng Tâm snake farm?"
    before = WebPerson(stack).say(question)
    if before.entry != "snake-farm":
        pytest.fail(f"the question for this test is answered with {before.entry!r}")
    editor.goto(address(stack, "unpublish", "snake-farm"))
    with editor.expect_navigation():
        editor.locator("main form button[type=submit], main form input[type=submit]").first.click()
    eventually(
        lambda: WebPerson(stack).say(question).entry != "snake-farm", SECONDS, "the entry is still said"
    )
    time.sleep(1.0)
    heard = WebPerson(stack).say(question)
    assert heard.entry != "snake-farm"
    assert heard.texts
