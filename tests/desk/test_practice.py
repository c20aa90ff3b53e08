"""Practice: an entry of one's own that can be edited, submitted and translated, and that never reaches the public."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from desk.management.commands.setup_roles import ROLES
from knowledge import practice, starter, translating
from knowledge.answers import load_answer, load_questions, starter_questions
from knowledge.importer import export_entries
from knowledge.models import Entry, Member, Sensitivity, Translation
from knowledge.passages import published_passages

FORM = {"question": "Mở cửa lúc nào?", "other_questions": "", "significance": "major", "matches_original": "on"}


@pytest.fixture
def learner(entry):
    call_command("setup_roles", verbosity=0)
    user = get_user_model().objects.create(username="hoa")
    user.groups.add(Group.objects.get(name=ROLES["author"][0]))
    Member.objects.create(user=user, department=entry.department)
    return user


@pytest.fixture
def browser(learner):
    found = Client()
    found.force_login(learner)
    return found


@pytest.fixture
def mine(browser, learner):
    browser.post(reverse("knowledge_practice:begin"))
    return practice.mine(learner)


def address(text, name="edit"):
    return reverse(f"wagtailsnippets_knowledge_translation:{name}", args=[text.pk] if name == "edit" else [])


def done(entry):
    return [each.done for each in practice.exercises(Entry.objects.get(pk=entry.pk))]


def test_all_exercises_can_be_done_by_an_author_alone(browser, mine):
    vietnamese = mine.translations.get(language="vi")
    form = {**FORM, "entry": mine.pk, "language": "vi", "answer": "Từ 6 giờ sáng."}
    assert done(mine)[:2] == [False, False]
    browser.post(address(vietnamese), form)
    assert done(mine)[:2] == [True, False]
    browser.post(address(vietnamese), {**form, "action-submit": "1"})
    assert done(mine)[:2] == [True, True], "nobody has to check what is only practice"
    korean = {
        **FORM, "entry": mine.pk, "language": "ko", "source_language": "vi", "question": "몇 시에 열어요?",
        "answer": "오전 6시부터입니다.",
    }
    browser.post(address(None, "add"), korean)
    english = mine.translations.get(language="en")
    updated = {
        **FORM, "entry": mine.pk, "language": "en", "source_language": "vi", "question": "When does it open?",
        "answer": "From 6 a.m.", "action-submit": "1",
    }
    browser.post(address(english), updated)
    assert done(mine) == [True] * 4
    page = browser.get(reverse("knowledge_practice:index")).content.decode()
    assert "4 / 4" in page
    assert "bạn đã sẵn sàng" in page


def test_nothing_of_it_reaches_the_public_or_a_list_of_real_work(browser, mine, entry):
    vietnamese = mine.translations.get(language="vi")
    form = {**FORM, "entry": mine.pk, "language": "vi", "answer": "Chỉ để tập.", "action-submit": "1"}
    browser.post(address(vietnamese), form)
    assert Translation.objects.get(pk=vietnamese.pk).answer == "Chỉ để tập."
    assert load_answer(mine.slug, "vi") is None
    assert load_questions([mine.slug], "vi") == []
    assert "Mở cửa lúc nào?" not in starter_questions("vi", 10)
    assert mine.slug not in {each.entry for each in published_passages()}
    assert mine.slug not in {each["slug"] for each in export_entries()}
    assert not starter.waiting().filter(pk=mine.pk).exists()
    for kind in translating.KINDS:
        for language in ("vi", "en", "ko"):
            rows = translating.waiting(kind, language)
            assert mine.pk not in {getattr(each, "entry_id", each.pk) for each in rows}, (kind, language)
    listed = browser.get(reverse("wagtailsnippets_knowledge_entry:list")).content.decode()
    assert mine.slug not in listed
    assert entry.slug in listed


def test_it_does_not_become_real_by_any_form(browser, mine, entry):
    mine.sensitivity = Sensitivity.PUBLIC
    with pytest.raises(ValidationError, match="A practice entry does not become a real one"):
        mine.clean()
    entry.sensitivity = Sensitivity.PRACTICE
    with pytest.raises(ValidationError, match="nor the other way round"):
        entry.clean()
    entry.sensitivity = Sensitivity.PUBLIC
    entry.clean()
    english, real = mine.translations.get(language="en"), entry.translations.filter(language="fr")
    moved = {**FORM, "entry": entry.pk, "language": "fr", "answer": "Mine now.", "action-submit": "1"}
    page = browser.post(address(english), moved).content.decode()
    assert "A practice text stays with its entry" in page
    assert not real.exists()


def test_its_forms_say_what_it_is(browser, mine):
    assert "Mục tập dượt" in browser.get(address(mine.translations.get(language="vi"))).content.decode()


def test_starting_over_and_deleting_it(browser, learner, mine):
    mine.translations.get(language="vi").delete()
    browser.post(reverse("knowledge_practice:begin"))
    fresh = practice.mine(learner)
    assert fresh.pk != mine.pk
    assert fresh.translations.filter(language="vi").exists()
    browser.post(reverse("knowledge_practice:end"))
    assert practice.mine(learner) is None


def test_what_is_left_goes_after_a_month(mine, learner):
    now = timezone.now()
    assert practice.tidy(now + dt.timedelta(days=29)) == 0
    mine.translations.update(updated_at=now + dt.timedelta(days=20))
    assert practice.tidy(now + dt.timedelta(days=31)) == 0, "somebody was at work on it"
    assert practice.tidy(now + dt.timedelta(days=51)) == 1
    assert practice.mine(learner) is None


def test_without_anything_to_copy_it_says_so(browser, entry, learner):
    Entry.objects.update(live=False)
    page = browser.post(reverse("knowledge_practice:begin"), follow=True).content.decode()
    assert "There is no entry yet to make a copy of" in page
