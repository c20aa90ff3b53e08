"""A form that a long pause has closed: its answers outlive the session, so it can be taken up again or forgotten."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.form_model import begun
from actions.forms import emptied


class ResumeLeft(Action):
    """Takes the form up where it was left."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_resume_left"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Ask the next question of the form; without one, what else there is."""
        if form := begun(tracker):
            return [FollowupAction(form.loop)]
        dispatcher.utter_message(response="utter_anything_else")
        return []


class CancelLeft(Action):
    """Forgets the form."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_cancel_left"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Say that nothing was sent, or that nothing is open."""
        if form := begun(tracker):
            dispatcher.utter_message(response="utter_form_cancelled")
            return emptied(form)
        dispatcher.utter_message(response="utter_nothing_to_cancel")
        return []
