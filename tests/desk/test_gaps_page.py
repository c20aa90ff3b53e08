"""Asked in vain: what is counted, what is hidden, and each thing that can be done about it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from bot.models import Conversation, Turn
from desk import gaps
from desk.models import GapDecision
from desk.redaction import stripped
from knowledge.cases import EvaluationCase
from knowledge.client import SearchUnavailable
from knowledge.models import Department, Entry, Member


@pytest.fixture(autouse=True)
def report(settings, tmp_path):
    settings.GAPS_REPORT = tmp_path / "gaps.json"
    return settings.GAPS_REPORT


@pytest.fixture
def asked(db, monkeypatch):
    """Three who ask for a swimming pool, one long ago, and one who asks for a gym; the service groups them."""
    chat = Conversation.objects.create(channel="web", chat_id="1", language="en")
    words = [
        ("vi", "hồ bơi ở đâu"), ("en", "swimming pool? call me +84 912 345 678"), ("en", "a pool"), ("ko", "헬스장?")
    ]  # fmt: skip
    turns = [
        Turn.objects.create(conversation=chat, text=text, language=language, outcome="not_known",
                            near=[{"entry": "pagoda-hours"}])
        for language, text in words
    ]  # fmt: skip
    Turn.objects.filter(pk=turns[0].pk).update(created_at=timezone.now() - dt.timedelta(weeks=6))

    def grouped(questions):
        pool = [place for place, (text, _) in enumerate(questions) if "pool" in text or "bơi" in text]
        return [pool, *([place] for place in range(len(questions)) if place not in pool)]

    monkeypatch.setattr(gaps, "_grouped", grouped)
    return turns


@pytest.mark.parametrize(("text", "left"), [
    ("hồ bơi? tôi tên là Nguyễn Văn Bình, bình@example.org", "hồ bơi? tôi tên là …, …"),
    ("my name is John Smith and my number is +84 912 345 678", "my name is …"),
    ("我叫王小明，有游泳池吗", "我叫…，有游泳池吗"), ("제 이름은 김철수 수영장", "제 이름은 … 수영장"),
    ("меня зовут Анна, где бассейн", "меня зовут …, где бассейн"), ("opening 7:30, ward 4", "opening 7:30, ward 4"),
])  # fmt: skip
def test_what_tells_who_asked_is_left_out(text, left):
    assert stripped(text).startswith(left)
    assert "912" not in stripped(text)


def test_groups_are_counted_by_language_and_time(asked, report):
    now = timezone.now()
    assert gaps.make(now, report) == 2
    pool, gym = gaps.gaps(gaps.read(report)[1])
    assert (len(pool.turns), len(gym.turns)) == (3, 1)
    assert dict(pool.languages) == {"vi": 1, "en": 2}
    assert pool.trend(now) == (2, 1)
    assert "hồ bơi" not in report.read_text(encoding="utf-8")


def test_what_was_answered_or_went_to_a_person_is_not_there(asked):
    Turn.objects.filter(pk=asked[1].pk).update(outcome="answered")
    Turn.objects.filter(pk=asked[2].pk).update(ticket="MT-2026-0001")
    assert {turn.pk for turn in gaps.unanswered(timezone.now())} == {asked[0].pk, asked[3].pk}


def test_the_worker_groups_when_there_is_something_new(asked, report):
    now = timezone.now()
    assert gaps.due(now, report)
    gaps.make(now, report)
    assert not gaps.due(now + dt.timedelta(hours=7), report)
    turn = Turn.objects.create(conversation=asked[0].conversation, text="x", language="en", outcome="clarify")
    Turn.objects.filter(pk=turn.pk).update(created_at=now + dt.timedelta(hours=1))
    assert gaps.due(now + dt.timedelta(hours=7), report)
    assert not gaps.due(now + dt.timedelta(hours=2), report)


def show(browser, **query):
    return browser.get(reverse("desk_gaps:index"), query).content.decode().split("<h1>")[1]


def test_the_page_shows_the_questions_and_hides_who_asked(as_user, editor, asked, entry):
    browser = as_user(editor)
    assert browser.post(reverse("desk_gaps:again")).status_code == 302
    page = show(browser)
    assert "3×" in page
    assert "swimming pool? call me …" in page
    assert "912" not in page
    Turn.objects.filter(pk=asked[1].pk).delete()
    assert "call me" not in show(browser)


def test_the_service_being_down_is_said(as_user, editor, asked, monkeypatch):
    def down(questions):
        raise SearchUnavailable("ConnectError")

    monkeypatch.setattr(gaps, "_grouped", down)
    answer = as_user(editor).post(reverse("desk_gaps:again"), follow=True)
    assert "The search service does not answer" in answer.content.decode()


def act(browser, step, turns, **more):
    numbers = ",".join(str(turn.pk) for turn in turns)
    return browser.post(reverse("desk_gaps:act", args=[step]), {"turns": numbers, **more}, follow=True)


def test_a_draft_has_the_questions_filled_in(as_user, editor, asked, entry):
    browser = as_user(editor)
    answer = act(browser, "draft", asked[:3], category="practical", department="tourism")
    made = Entry.objects.get(slug=f"asked-{asked[0].pk}")
    assert not made.live
    texts = {row.language: row for row in made.translations.all()}
    assert texts["vi"].question == "hồ bơi ở đâu"
    assert texts["en"].questions == ["swimming pool? call me …", "a pool"]
    data = {"entry": made.pk, "language": "vi", "question": "hồ bơi ở đâu", "other_questions": "",
            "answer": texts["vi"].answer, "significance": "minor", "source_language": "", "action-publish": "1"}
    page = browser.post(answer.redirect_chain[-1][0], data).content.decode()
    assert "Write the answer first" in page
    assert answer.redirect_chain[-1][0].endswith(f"/edit/{texts['vi'].pk}/")
    assert GapDecision.objects.filter(kind="drafted", entry=made).count() == 3
    answer = act(browser, "draft", asked[:3], category="practical", department="tourism")
    assert "There is a draft of these questions already" in answer.content.decode()


def test_the_questions_become_ways_to_ask_and_cases(as_user, editor, asked, entry):
    act(as_user(editor), "alternative", asked[1:3], entry=entry.slug)
    draft = entry.translations.get(language="en").get_latest_revision_as_object()
    assert "a pool" in draft.questions
    assert "a pool" not in entry.translations.get(language="en").questions
    assert EvaluationCase.objects.filter(entry=entry).count() == 2


def test_a_name_becomes_an_alias_of_the_draft(as_user, editor, asked, entry):
    act(as_user(editor), "alias", asked[:1], entry=entry.slug, alias="  the  pool ")
    entry.refresh_from_db()
    assert entry.get_latest_revision_as_object().aliases == ["chùa", "the pool"]
    assert entry.aliases == ["chùa"]


def test_dismissed_needs_a_reason_and_stays_away_while_done_comes_back(as_user, editor, asked, entry, report):
    gaps.make(timezone.now(), report)
    browser = as_user(editor)
    assert "Give a reason" in act(browser, "dismiss", asked[3:], reason=" ").content.decode()
    act(browser, "dismiss", asked[3:], reason="Không phải việc của thành phố")
    act(browser, "alternative", asked[:3], entry=entry.slug)
    assert "×" not in show(browser)
    done = show(browser, done=1)
    assert "Không phải việc của thành phố" in done
    for turn, text in ((asked[0], "a pool"), (asked[3], "헬스장?")):
        again = Turn.objects.create(conversation=turn.conversation, text=text, language=turn.language,
                                    outcome="not_known")  # fmt: skip
        Turn.objects.filter(pk=again.pk).update(created_at=timezone.now() + dt.timedelta(minutes=1))
    gaps.make(timezone.now(), report)
    page = show(browser)
    assert "asked again since: 1" in page
    assert "헬스장" not in page


def test_an_author_acts_for_their_own_department_only(as_user, person, asked, entry):
    author = person("author", "knowledge.change_translation", "knowledge.add_entry")
    office = Department.objects.create(slug="police", name_vi="Công an", name_en="Police")
    Member.objects.create(user=author, department=office)
    browser = as_user(author)
    assert "another department" in act(browser, "alternative", asked[:1], entry=entry.slug).content.decode()
    answer = act(browser, "draft", asked[:1], category="practical", department="tourism")
    assert "your own department" in answer.content.decode()
    assert not GapDecision.objects.exists()
