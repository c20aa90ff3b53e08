"""The quality report: made by the worker, shown in the console."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from bot.models import Conversation, Turn
from desk import quality
from desk.management.commands.worker import Command
from knowledge.models import Entry, KnowledgeState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    settings.QUALITY_REPORT = tmp_path / "quality.json"
    settings.INDEX_DIR = tmp_path / "index"


@pytest.fixture
def page(as_user, editor):
    call_command("setup_roles", verbosity=0)
    browser = as_user(editor)
    return lambda **query: browser.get(reverse("desk_quality:index"), query).content.decode()


def test_the_page_says_that_there_is_no_report_yet(page) -> None:
    assert "No report yet" in page()


def test_the_worker_makes_it_once_and_again_when_it_is_time(page, entry, settings) -> None:
    now = timezone.now()
    Command.judge(now)
    first = quality.Report.read(settings.QUALITY_REPORT)
    assert {each.rule for each in first.findings} >= {"languages", "questions"}
    assert first.without.startswith("chưa có chỉ mục")
    KnowledgeState.advance()
    Command.judge(now + dt.timedelta(minutes=59))
    assert quality.Report.read(settings.QUALITY_REPORT).made_at == now
    Command.judge(now + dt.timedelta(minutes=60))
    assert quality.Report.read(settings.QUALITY_REPORT).made_at == now + dt.timedelta(minutes=60)
    text = page()
    assert entry.slug in text
    assert "Missing languages (1) <span" in text
    assert "Missing languages (1) <span" not in page(rule="questions")
    assert "Nothing to look at" in page(department="elsewhere")


def test_a_report_that_cannot_be_read_is_made_anew(settings) -> None:
    settings.QUALITY_REPORT.write_text('{"made_at": "2026', encoding="utf-8")
    Command.judge(timezone.now())
    assert quality.Report.read(settings.QUALITY_REPORT).entries == 0


def test_an_entry_that_nobody_asks_for_is_named_after_three_months(entry, settings) -> None:
    now = timezone.now()

    def unasked():
        report = quality.make(now, settings.INDEX_DIR)
        return [each.slug for each in report.findings if each.rule == "never_asked"]

    Entry.objects.filter(pk=entry.pk).update(first_published_at=now - dt.timedelta(days=89))
    assert unasked() == []
    Entry.objects.filter(pk=entry.pk).update(first_published_at=now - dt.timedelta(days=91))
    assert unasked() == [entry.slug]
    conversation = Conversation.objects.create(channel="api", chat_id="c", language="en")
    Turn.objects.create(conversation=conversation, language="en", outcome="answered", entry=entry.slug)
    assert unasked() == []


def test_what_readers_do_not_see_is_not_judged(entry, settings) -> None:
    assert quality.make(timezone.now(), settings.INDEX_DIR).entries == 1
    Entry.objects.filter(pk=entry.pk).update(live=False)
    assert quality.make(timezone.now(), settings.INDEX_DIR).entries == 0


def test_the_button_makes_it_now(as_user, editor, entry, settings) -> None:
    call_command("setup_roles", verbosity=0)
    response = as_user(editor).post(reverse("desk_quality:again"))
    assert entry.slug in response.content.decode()
    assert quality.Report.read(settings.QUALITY_REPORT) is not None
