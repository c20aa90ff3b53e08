"""What is on is told with the dialogue engine and without."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from rasa_sdk.executor import CollectingDispatcher

from actions import answer
from bot import fallback
from bot.models import Conversation
from knowledge.models import Entry
from tests.actions.test_actions import customs, tracker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tomorrow(pagoda) -> str:
    Entry.objects.filter(pk=pagoda.pk).update(event_start=timezone.localdate() + dt.timedelta(days=1))
    return pagoda.slug


async def test_the_events_are_told_and_their_entries_offered(tomorrow) -> None:
    dispatcher = CollectingDispatcher()
    await answer.AnswerQuestion().run(dispatcher, tracker(text="what's on this week?", language="en"), {})
    assert dispatcher.messages[0]["response"] == "utter_whats_on"
    assert customs(dispatcher, "choices")[0]["entries"] == [tomorrow]
    assert customs(dispatcher, "turn")[0]["outcome"] == "answered"


@pytest.mark.parametrize("language", ["vi", "en", "zh", "ko", "ja", "fr", "ru"])
async def test_without_the_dialogue_engine_too(language, tomorrow) -> None:
    drafts, ending = await fallback.answer(
        Conversation(channel="web", chat_id="x"), "what's on this week?", None, language, SimpleNamespace()
    )
    assert (ending.outcome, drafts[0].entries) == ("answered", [tomorrow])
    year = await sync_to_async(timezone.localdate)()
    assert str(year.year) in drafts[0].text
