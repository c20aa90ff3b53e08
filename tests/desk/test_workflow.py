"""From an author to readers: the department's head, the press office for the city's own words, the office."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from wagtail.models import TaskState, Workflow

from bot.notes import lines_under
from desk.management.commands.setup_roles import ROLES
from knowledge.answers import load_answer
from knowledge.cases import should_match
from knowledge.models import Department, Member, Translation

FORM = {
    "language": "en", "question": "When does it open?", "other_questions": "", "answer": "At 7:00, every day.",
    "significance": "minor", "source_language": "vi", "matches_original": "on",
}  # fmt: skip


@pytest.fixture
def staff(entry):
    """The desk's people by short names; the author and the head are of the entry's department, `stranger` is not."""
    call_command("setup_roles", verbosity=0)
    other = Department.objects.create(slug="police", name_vi="Công an", name_en="Police")

    def make(name, role, department=None, head=False):
        user = get_user_model().objects.create(username=name, email=f"{name}@example.org")
        user.groups.add(Group.objects.get(name=ROLES[role][0]))
        if department:
            Member.objects.create(user=user, department=department, head=head)
        return user

    return {
        "author": make("author", "author", entry.department),
        "leader": make("leader", "author", entry.department, head=True),
        "stranger": make("stranger", "author", other),
        "editor": make("editor", "editor"),
        "press": make("press", "press"),
    }


@pytest.fixture
def text(entry):
    return entry.translations.get(language="en")


def browse(user):
    browser = Client()
    browser.force_login(user)
    return browser


def edit(user, text, **more):
    address = reverse("wagtailsnippets_knowledge_translation:edit", args=[text.pk])
    return browse(user).post(address, {**FORM, "entry": text.entry_id, **more})


def decide(user, text, action, comment=""):
    state = text.workflow_states.active().get().current_task_state
    address = reverse("wagtailsnippets_knowledge_translation:workflow_action", args=[text.pk, action, state.pk])
    return browse(user).post(address, {"comment": comment})


def step(text):
    state = text.workflow_states.active().first()
    return state and state.current_task_state.task.name.split(" / ")[1]


def now(text):
    return Translation.objects.get(pk=text.pk)


def test_an_author_s_text_goes_by_its_head_and_the_office_to_readers(staff, text):
    assert edit(staff["author"], text, **{"action-submit": "1"}).status_code == 302
    assert now(text).answer == "7:00–17:30"
    assert step(text) == "Check by the department's head"
    assert [m.to for m in mail.outbox if "waits" in m.subject.lower()] == [["leader@example.org"]]
    assert decide(staff["leader"], text, "approve").status_code == 302
    assert now(text).answer == "7:00–17:30"
    assert step(text) == "Approval by the culture and information office"
    assert [m.to for m in mail.outbox if "waits" in m.subject.lower()][1:] == [["editor@example.org"]]
    decide(staff["editor"], text, "approve")
    assert now(text).answer == "At 7:00, every day."
    assert now(text).live
    assert step(text) is None
    assert mail.outbox[-1].to == ["author@example.org"]
    assert "Approved" in mail.outbox[-1].subject


def test_what_waits_stands_on_the_first_page_of_who_takes_it(staff, text):
    edit(staff["author"], text, **{"action-submit": "1"})
    home = reverse("wagtailadmin_home")
    pages = {name: browse(user).get(home).content.decode() for name, user in staff.items()}
    address = reverse("wagtailsnippets_knowledge_translation:edit", args=[text.pk])
    assert TaskState.objects.reviewable_by(staff["leader"]).count() == 1
    assert not TaskState.objects.reviewable_by(staff["author"]).exists()
    assert address in pages["leader"]
    assert address not in pages["press"]


def test_nobody_takes_a_step_of_others(staff, text):
    edit(staff["author"], text, **{"action-submit": "1"})
    for name in ("author", "stranger", "editor", "press"):
        decide(staff[name], text, "approve")
        assert step(text) == "Check by the department's head", name


def test_a_head_asks_for_changes_and_the_author_reads_why(staff, text):
    edit(staff["author"], text, **{"action-submit": "1"})
    decide(staff["leader"], text, "reject", "Giờ nghỉ trưa?")
    assert now(text).answer == "7:00–17:30"
    assert mail.outbox[-1].to == ["author@example.org"]
    assert "Giờ nghỉ trưa?" in mail.outbox[-1].body
    edit(staff["author"], text, answer="From 7:00 to 11:00 and 13:00 to 17:30.", **{"action-restart-workflow": "1"})
    assert step(text) == "Check by the department's head"


def test_a_step_without_people_or_of_the_author_s_own_is_passed_and_says_so(staff, text):
    edit(staff["leader"], text, **{"action-submit": "1"})
    assert step(text) == "Approval by the culture and information office"
    assert "Submitted by" in TaskState.objects.filter(status="approved").first().comment
    decide(staff["editor"], text, "reject", "x")
    Member.objects.all().delete()
    edit(staff["author"], text, **{"action-submit": "1"})
    assert step(text) == "Approval by the culture and information office"


def test_an_author_publishes_nothing_and_writes_for_no_other_department(staff, text):
    edit(staff["author"], text, **{"action-publish": "1"})
    assert now(text).answer == "7:00–17:30"
    edit(staff["author"], text, answer="Ours")
    edit(staff["stranger"], text, answer="Mine")
    assert now(text).get_latest_revision_as_object().answer == "Ours"
    browser = browse(staff["stranger"])
    adding = reverse("wagtailsnippets_knowledge_translation:add")
    page = browser.post(adding, {**FORM, "entry": text.entry_id, "language": "fr", "question": "Quand ?"})
    assert "belongs to another department" in page.content.decode()
    assert not Translation.objects.filter(language="fr").exists()
    _, suggested = should_match("when open pls", "en", text.entry, staff["stranger"])
    assert not suggested
    _, suggested = should_match("when does it open then", "en", text.entry, staff["author"])
    assert suggested


@pytest.mark.parametrize("kind", ["statement", "clarification"])
def test_the_city_s_own_words_need_the_press_office_and_a_second_person(staff, text, kind):
    text.entry.__class__.objects.filter(pk=text.entry_id).update(**{kind: True})
    text.refresh_from_db()
    page = edit(staff["editor"], text, **{"action-publish": "1"})
    assert "second person" in page.content.decode()
    assert now(text).answer == "7:00–17:30"
    edit(staff["editor"], text, **{"action-submit": "1"})
    decide(staff["leader"], text, "approve")
    assert step(text) == "Press office agrees to statements"
    decide(staff["editor"], text, "approve")
    assert step(text) == "Press office agrees to statements"
    decide(staff["press"], text, "approve")
    assert now(text).answer == "7:00–17:30"
    assert step(text) == "Approval by the culture and information office"
    decide(staff["editor"], text, "approve")
    assert now(text).answer == "At 7:00, every day."


def test_nobody_agrees_to_a_statement_of_their_own(staff, text):
    text.entry.__class__.objects.filter(pk=text.entry_id).update(statement=True)
    Member.objects.all().delete()
    head = get_user_model().objects.create(username="chief", email="chief@example.org")
    head.groups.add(Group.objects.get(name=ROLES["head"][0]))
    edit(head, text, **{"action-submit": "1"})
    assert step(text) == "Press office agrees to statements"
    decide(head, text, "approve")
    assert step(text) == "Press office agrees to statements"
    decide(staff["press"], text, "approve")
    assert now(text).answer == "7:00–17:30"
    assert step(text) == "Approval by the culture and information office"
    decide(head, text, "approve")
    assert now(text).answer == "At 7:00, every day."


def test_the_set_up_is_made_once_and_a_city_may_change_it(staff):
    workflow = Workflow.objects.get(workflow_content_types__content_type__model="entry")
    workflow.workflow_tasks.first().delete()
    call_command("setup_roles", verbosity=0)
    assert workflow.workflow_tasks.count() == 2
    assert Workflow.objects.filter(name=workflow.name).count() == 1


def test_revisions_are_compared_and_an_old_one_is_brought_back(staff, text):
    before = text.latest_revision
    edit(staff["editor"], text, **{"action-publish": "1"})
    after = now(text).latest_revision
    name = "wagtailsnippets_knowledge_translation"
    page = browse(staff["editor"]).get(reverse(f"{name}:revisions_compare", args=[text.pk, before.pk, after.pk]))
    assert "At 7:00, every day." in page.content.decode()
    assert "17:30" in page.content.decode()
    page = browse(staff["editor"]).get(reverse(f"{name}:revisions_revert", args=[text.pk, before.pk]))
    assert "7:00–17:30" in page.content.decode()
    edit(staff["editor"], text, answer="7:00–17:30", revision=before.pk, **{"action-publish": "1"})
    assert now(text).answer == "7:00–17:30"


def test_a_clarification_has_evidence_and_its_reader_sees_what_it_is(staff, text):
    entry = text.entry
    address = reverse("wagtailsnippets_knowledge_entry:edit", args=[entry.pk])
    browser = browse(staff["editor"])
    form = browser.get(address).context["form"]
    data = {each.html_name: each.value() for each in form if each.value() not in (None, False)}
    data |= {"aliases": "chùa", "facts": "", "clarification": "on"}
    empty = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    for name in form.formsets:
        data |= {f"{name}-{key}": value for key, value in empty.items()}
    source = entry.sources.get()
    rows = {
        "sources-TOTAL_FORMS": 1, "sources-INITIAL_FORMS": 1, "sources-0-id": source.pk, "sources-0-ORDER": 1,
        "sources-0-title": source.title, "sources-0-url": source.url, "sources-0-seen_on": "2026-11-01",
    }  # fmt: skip
    page = browser.post(address, data | rows | {"sources-0-DELETE": "on", "action-submit": "1"}).content.decode()
    assert "Add at least one source" in page
    assert browser.post(address, data | rows | {"action-submit": "1"}).status_code == 302
    for name in ("leader", "press", "editor"):
        state = entry.workflow_states.active().get().current_task_state
        decision = reverse("wagtailsnippets_knowledge_entry:workflow_action", args=[entry.pk, "approve", state.pk])
        browse(staff[name]).post(decision, {})
    answer = load_answer(entry.slug, "en")
    assert answer.clarification
    reply = {"clarification": True, "verified_on": answer.verified_on}
    assert "Official clarification by the city, 01 Nov 2026" in lines_under(reply, "en")[0].text
