"""What can go wrong on the way of a message; every error of `bot` has this one base."""

from __future__ import annotations


class BotError(Exception):
    """The base of every error that `bot` raises itself."""


class DialogueError(BotError):
    """Rasa did not answer, or answered with nothing (that is how its failures look)."""


class UnknownButton(BotError):
    """A button id that was never given out in this conversation, or is gone."""
