"""Try it: what the bot would say, why, and what should have answered."""

from __future__ import annotations

import json

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse

from bot.models import Message, Turn
from knowledge import cases, tryout, whatif
from knowledge.cases import EvaluationCase
from knowledge.client import SearchClient
from knowledge.models import Translation

pytestmark = pytest.mark.django_db
LIMITS = {"answer_from": 0.62, "clarify_from": 0.31}


@pytest.fixture
def service(monkeypatch, entry):
    """The search service, played: it says what the test wants and keeps what it was asked."""
    said = {"outcome": "answered", "entry": entry.slug, "entry_language": "en", "score": 0.91, "limits": LIMITS}
    said["near"] = [
        {"entry": entry.slug, "language": "en", "question": "When?", "score": 0.91, "dense": 0.9, "lexical": 1.0}
    ]
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(said.pop("status", 200), json=said)

    monkeypatch.setattr(
        tryout, "SearchClient", lambda url, timeout: SearchClient(url, timeout, httpx.MockTransport(answer))
    )
    said["asked"] = asked
    return said


@pytest.fixture
def editor(client, db):
    call_command("setup_roles", verbosity=0)
    user = get_user_model().objects.create(username="editor", is_superuser=True, is_staff=True)
    client.force_login(user)
    return client


def ask(editor, text, **more):
    return editor.post(reverse("knowledge_try:index"), {"text": text, **more})


def test_the_answer_is_shown_with_the_reason_and_nothing_is_stored(editor, service, entry) -> None:
    page = ask(editor, "When is it open?").content.decode()
    assert service["asked"] == [{"text": "When is it open?", "language": "en", "top_k": 5}]
    assert entry.translations.get(language="en").answer.splitlines()[0][:40] in page
    assert "91%" in page
    assert "from 62% on" in page
    assert not Turn.objects.exists()
    assert not Message.objects.exists()


def test_what_is_not_known_shows_what_would_be_offered(editor, service, entry) -> None:
    service |= {"outcome": "not_known", "entry": None, "score": 0.2}
    page = ask(editor, "Is there an aquarium?", language="en").content.decode()
    assert "says that it does not know" in page
    assert entry.translations.get(language="en").question in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Help, my friend is drowning!", "An emergency"),
        ("I am a journalist of the BBC and request an interview with the mayor", "The press"),
    ],
)
def test_what_goes_before_an_answer_is_told(editor, service, text, words) -> None:
    assert words in ask(editor, text).content.decode()


def test_words_without_a_letter_and_a_silent_service_are_told(editor, service) -> None:
    assert "Type a few words" in ask(editor, "?!").content.decode()
    service["status"] = 503
    assert "does not answer" in ask(editor, "When is it open?").content.decode()


def test_what_should_have_matched_becomes_a_case_and_a_suggestion(editor, service, entry) -> None:
    before = Translation.objects.get(entry=entry, language="en").other_questions
    answer = editor.post(
        reverse("knowledge_try:case"), {"text": "can i pop in at noon", "language": "en", "entry": entry.slug}
    )
    assert "added to the entry" in answer.content.decode()
    case = EvaluationCase.objects.get()
    assert (case.text, case.entry, case.language) == ("can i pop in at noon", entry, "en")
    row = Translation.objects.get(entry=entry, language="en")
    assert row.other_questions == before  # nothing goes on the air by itself
    assert "can i pop in at noon" in row.get_latest_revision_as_object().questions
    [question] = cases.labelled()
    assert (question.text, question.relevant) == ("can i pop in at noon", (entry.slug,))
    # Said twice, it is one case, and suggested once.
    _, suggested = cases.should_match("can i pop in at noon", "en", entry, case.created_by)
    assert (EvaluationCase.objects.count(), suggested) == (1, False)


def test_a_question_to_decline_becomes_a_case_without_an_entry(editor, service) -> None:
    editor.post(reverse("knowledge_try:case"), {"text": "who wins the cup", "language": "en", "entry": ""})
    [question] = cases.labelled()
    assert question.relevant == ()


def test_an_entry_that_does_not_exist_is_refused(editor, service) -> None:
    answer = editor.post(reverse("knowledge_try:case"), {"text": "x y", "language": "en", "entry": "nowhere"})
    assert "There is no entry" in answer.content.decode()
    assert not EvaluationCase.objects.exists()


def test_a_text_that_somebody_else_has_locked_is_left_alone(service, entry) -> None:
    me, other = (get_user_model().objects.create(username=name) for name in ("me", "other"))
    Translation.objects.filter(entry=entry, language="en").update(locked=True, locked_by=other)
    _, suggested = cases.should_match("can i pop in", "en", entry, me)
    assert not suggested


@pytest.fixture
def compared(monkeypatch, entry):
    """The search service, played: `then` says how a question ends with the draft, any other stays answered."""
    then, bodies = {}, []
    now = {"outcome": "answered", "entry": entry.slug}

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path == "/search":
            return httpx.Response(200, json={"outcome": "answered", "near": [{"entry": entry.slug}]})
        bodies.append(body)
        ends = [{"now": now, "then": then.get(each["text"], now)} for each in body["questions"]]
        return httpx.Response(200, json={"ends": ends})

    monkeypatch.setattr(
        whatif, "SearchClient", lambda url, timeout: SearchClient(url, timeout, httpx.MockTransport(answer))
    )
    return then, bodies


def test_before_publishing_the_editor_sees_what_would_change(editor, compared, entry) -> None:
    then, bodies = compared
    cases.should_match("is there a fee", "en", None, get_user_model().objects.get(username="editor"))
    text = entry.translations.get(language="en")
    text.answer = "From 8:00."
    text.save_revision()
    then |= {
        "When does it open?": {"outcome": "not_known", "entry": None},
        "is there a fee": {"outcome": "not_known", "entry": None},
    }
    page = editor.get(reverse("knowledge_try:changes", args=[text.pk])).content.decode().split("ty-scroll")[1]
    assert "From 8:00." in [each["text"] for each in bodies[0]["passages"]]
    assert page.index("worse") < page.index("When does it open?") < page.index("better") < page.index("is there a fee")


def test_a_draft_that_changes_nothing_says_so(editor, compared, entry) -> None:
    text = entry.translations.get(language="en")
    assert "No question ends otherwise" in editor.get(
        reverse("knowledge_try:changes", args=[text.pk])
    ).content.decode()
