"""Ask: a question is answered from the knowledge base, or said to be unknown."""

from __future__ import annotations

import logging

from asgiref.sync import sync_to_async
from django.utils import timezone
from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.context import last_entry
from actions.form_model import begun
from actions.position import answers_position, asks_position, to_person
from actions.search import search_client
from actions.turns import entity_of, intent_of, language_of, utter_answer, utter_choices, utter_turn
from knowledge.addresses import Converted, convert
from knowledge.client import Found, SearchUnavailable
from knowledge.whats_on import WhatsOn, whats_on
from nlu.events import asked_span
from nlu.press import names_journalist

logger = logging.getLogger(__name__)
# The entry that lists the old wards and communes with the new ones.
OLD_ADDRESSES = "old-wards-to-new"


class AnswerQuestion(Action):
    """Searches the knowledge base for the words of the message."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_answer"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Answer, offer what was perhaps meant, or say that it is not known."""
        if intent_of(tracker) in ("inform", "choose") and (form := begun(tracker)):
            return [FollowupAction(form.loop)]
        if moved := convert(tracker.latest_message.get("text") or ""):
            return _say_moved(dispatcher, tracker, moved)
        if span := asked_span(tracker.latest_message.get("text") or "", timezone.localdate()):
            return _say_whats_on(dispatcher, tracker, await sync_to_async(whats_on)(span, language_of(tracker)))
        try:
            found = await search_client().search(
                tracker.latest_message.get("text") or "",
                language_of(tracker),
                about=await last_entry(tracker.sender_id),
            )
        except SearchUnavailable as error:
            logger.error("The knowledge service failed: %s", error)
            if asks_position(tracker):
                return to_person(dispatcher, tracker)
            dispatcher.utter_message(response="utter_knowledge_down")
            return []
        if asks_position(tracker) and not await answers_position(found):
            return to_person(dispatcher, tracker)
        count = _count(tracker) + 1 if found.outcome == "not_known" else 0
        if found.outcome == "answered" and found.entry:
            utter_answer(dispatcher, found.entry)
            if names_journalist(tracker.latest_message.get("text") or ""):
                utter_choices(dispatcher, [], human=True)
        elif found.outcome == "clarify":
            dispatcher.utter_message(response="utter_clarify")
            utter_choices(dispatcher, found.offers(), human=True)
        else:
            self._not_known(dispatcher, found, count)
        utter_turn(
            dispatcher,
            tracker,
            found.outcome,
            intent="ask",
            entry=found.entry if found.outcome == "answered" else None,
            entry_language=found.entry_language,
            score=found.score,
            near=found.near,
        )
        return [SlotSet("not_known_count", count)] if count != _count(tracker) else []

    @staticmethod
    def _not_known(dispatcher: CollectingDispatcher, found: Found, count: int) -> None:
        """Say so, more briefly each time in a row (lessons R6)."""
        if count == 1:
            dispatcher.utter_message(response="utter_not_known_first")
            utter_choices(dispatcher, found.offers(), human=True)
        elif count == 2:
            dispatcher.utter_message(response="utter_not_known_second")
            utter_choices(dispatcher, found.offers(), human=True)
        else:
            dispatcher.utter_message(response="utter_not_known_again")
            utter_choices(dispatcher, [], human=True)


class ShowEntry(Action):
    """Shows the entry whose button was pressed."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_show_entry"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Show the entry; a button without one is a question we did not understand."""
        entry = entity_of(tracker, "entry")
        if not entry:
            dispatcher.utter_message(response="utter_default")
            return []
        utter_answer(dispatcher, entry)
        utter_turn(dispatcher, tracker, "answered", entry=entry)
        return [SlotSet("not_known_count", 0)] if _count(tracker) else []


def _say_moved(dispatcher: CollectingDispatcher, tracker: Tracker, moved: Converted) -> list[EventType]:
    """Say where an old address lies now, and offer the entry that says more."""
    response = "utter_old_address_divided" if moved.divided else "utter_old_address"
    dispatcher.utter_message(response=response, old=moved.old, new=moved.new)
    utter_choices(dispatcher, [OLD_ADDRESSES], human=False)
    utter_turn(dispatcher, tracker, "answered", intent="ask")
    return [SlotSet("not_known_count", 0)] if _count(tracker) else []


def _say_whats_on(dispatcher: CollectingDispatcher, tracker: Tracker, told: WhatsOn) -> list[EventType]:
    """Say what is on, and offer the entries that say more."""
    dispatcher.utter_message(response=told.response, **told.values)
    utter_choices(dispatcher, told.entries, human=False)
    utter_turn(dispatcher, tracker, "answered", intent="ask")
    return [SlotSet("not_known_count", 0)] if _count(tracker) else []


def _count(tracker: Tracker) -> int:
    return int(tracker.get_slot("not_known_count") or 0)
