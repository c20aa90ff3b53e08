"""A draft of a knowledge entry from an answer: unpublished, once, and nothing in it that tells who asked."""

from __future__ import annotations

import pytest
from django.urls import reverse

from desk import answers, tickets
from desk.models import TicketEvent
from knowledge.models import Department, Entry, Translation
from knowledge.passages import published_passages

BOTH = ["desk.work_press", "knowledge.add_entry", "knowledge.add_translation", "knowledge.change_entry"]


def make(browser, answer):
    return browser.post(reverse("desk_tickets:draft", args=[answer.ticket.number]), {"answer": answer.pk}, follow=True)


def said(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def answered(officer, conversation):
    """A complaint whose words say who wrote it, answered in both languages."""
    Department.objects.create(slug="city", name_vi="Đô thị", name_en="City", handles=["complaint"])
    words = (
        "I am Sarah Miller, sarah@bbc.co.uk or +44 20 7946 0958. Who mends broken lamps?  See https://example.org/me\n"
        "Call @sarahm."
    )
    ticket = tickets.open_ticket(
        "complaint", conversation=conversation, language="en", words=words, fields={"complaint_name": "Sarah Miller"}
    )
    return answers.answer(ticket, officer, "The city does.", "Thành phố sửa.")


def test_a_draft_has_both_texts_is_read_by_nobody_and_names_nobody(as_user, officer, answered):
    response = make(as_user(officer), answered)
    entry = Entry.objects.get()
    assert said(response) == [f"Đã có bản nháp {entry.slug}. / The draft {entry.slug} is there."]
    assert (entry.live, entry.department.slug, entry.has_unpublished_changes) == (False, "city", True)
    vi, en = (entry.translations.get(language=language) for language in ("vi", "en"))
    assert (vi.answer, vi.live, vi.source_language) == ("Thành phố sửa.", False, "")
    assert (en.answer, en.live, en.source_language, en.source_version) == ("The city does.", False, "vi", 1)
    assert en.question == "I am …, … or …. Who mends broken lamps? See … Call …."
    for row in (entry, vi, en):
        held = str(row.latest_revision.content) + str(row.__dict__)
        assert not any(word in held for word in ("Sarah", "sarah", "7946", "example.org"))
    assert not Entry.objects.answerable().exists()
    assert list(published_passages()) == []
    event = answered.ticket.events.get(type=TicketEvent.Type.DRAFTED)
    assert (event.actor, event.data) == (officer, {"answer": answered.pk, "entry": entry.pk})


def test_a_second_press_opens_the_same_draft_and_an_editor_is_taken_to_it(as_user, person, answered):
    both = as_user(person("both", "desk.work_tickets", *BOTH[1:]))
    first = make(both, answered)
    entry = Entry.objects.get()
    edit = reverse("wagtailsnippets_knowledge_entry:edit", args=[entry.pk])
    assert first.redirect_chain[-1][0] == edit
    assert first.status_code == 200
    assert make(both, answered).redirect_chain[-1][0] == edit
    assert Entry.objects.count() == 1
    entry.delete()
    make(both, answered)
    assert Entry.objects.count() == 1, "a draft that was thrown away can be made again"


def test_a_press_answer_becomes_a_draft_by_somebody_with_both_rights_and_without_the_askers_words(
    as_user, person, press, released, ticket
):
    written = released(ticket, "On Thursday.", "Thứ năm.")
    assert "may not" in said(make(as_user(press), written))[0]
    assert "Make a knowledge draft" not in as_user(press).get(
        reverse("desk_tickets:detail", args=[ticket.number])
    ).content.decode()  # fmt: skip
    assert not Entry.objects.exists()
    make(as_user(person("both", *BOTH)), written)
    held = " ".join(Translation.objects.values_list("question", flat=True))
    assert "interview" not in held
    assert held.count("[") == 2
    assert {each.answer for each in Translation.objects.all()} == {"On Thursday.", "Thứ năm."}


def test_only_a_released_answer_of_a_ticket_one_sees_becomes_a_draft(as_user, person, press, officer, ticket, answered):
    written = answers.answer(ticket, press, "Perhaps.", "Có lẽ.")
    assert "not released" in said(make(as_user(person("both", *BOTH)), written))[0]
    assert make(as_user(officer), written).status_code == 404
    answered.ticket.department = None
    answered.ticket.save()
    assert "Choose the office" in said(make(as_user(officer), answered))[0]
    assert not Entry.objects.exists()


def test_a_long_question_is_cut_and_a_vietnamese_one_stands_alone(as_user, officer, conversation):
    office = Department.objects.create(slug="city", name_vi="Đô thị", name_en="City", handles=["complaint"])
    ticket = tickets.open_ticket("complaint", conversation=conversation, language="vi", words="Đèn hỏng. " * 60)
    make(as_user(officer), answers.answer(ticket, officer, "Sẽ sửa."))
    [row] = Translation.objects.all()
    assert (row.language, row.source_language, len(row.question) <= 300) == ("vi", "", True)
    assert row.question.endswith("…")
    assert row.entry.department == office
