"""An old address in a message is answered with where it lies now, with the dialogue engine and without."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rasa_sdk.executor import CollectingDispatcher

from actions import answer
from bot import fallback
from bot.models import Conversation
from tests.actions.test_actions import customs, tracker

OLD = "phường 5 Mỹ Tho cũ nay là phường nào?"


async def test_the_new_ward_is_said_and_the_whole_list_offered() -> None:
    dispatcher = CollectingDispatcher()
    await answer.AnswerQuestion().run(dispatcher, tracker(text=OLD, language="vi"), {})
    said = dispatcher.messages[0]
    assert (said["response"], said["new"]) == ("utter_old_address", "Phường Đạo Thạnh, Tỉnh Đồng Tháp")
    assert customs(dispatcher, "choices")[0]["entries"] == [answer.OLD_ADDRESSES]
    assert customs(dispatcher, "turn")[0]["outcome"] == "answered"


@pytest.mark.parametrize("language", ["vi", "en", "zh", "ko", "ja", "fr", "ru"])
async def test_without_the_dialogue_engine_it_is_said_too(language: str) -> None:
    drafts, ending = await fallback.answer(
        Conversation(channel="web", chat_id="x"), OLD, None, language, SimpleNamespace()
    )
    assert (ending.outcome, ending.degraded) == ("answered", True)
    assert "Phường 5, TP. Mỹ Tho" in drafts[0].text
    assert "Phường Đạo Thạnh" in drafts[0].text


async def test_a_ward_that_was_split_is_not_told_as_one() -> None:
    dispatcher = CollectingDispatcher()
    await answer.AnswerQuestion().run(dispatcher, tracker(text="phường 4 cũ nay là phường nào"), {})
    assert dispatcher.messages[0]["response"] == "utter_old_address_divided"
