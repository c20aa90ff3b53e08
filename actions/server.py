"""The action server's process: Django first, then the actions, on loopback only."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

import django
from django.conf import settings

logger = logging.getLogger(__name__)


def build_app() -> object:
    """Return the Sanic application with every action of this package registered."""
    from rasa_sdk.endpoint import create_app
    from rasa_sdk.executor import ActionExecutor

    class Executor(ActionExecutor):
        """Runs actions without the domain, which is large and which none of ours reads (endpoints.yml)."""

        def update_and_return_domain(self, payload: dict[str, Any], action_name: str) -> dict[str, Any]:
            """Take the call as it is: this SDK's newer Rasa would be asked to send the domain again."""
            return payload.get("domain") or {}

    executor = Executor()
    executor.register_package("actions")
    return create_app(executor)


def _warm_up() -> None:
    """Read the words of dates, places and holidays, which takes seconds the first time: not on somebody's request."""
    from actions.deadline import DeadlineError, read_deadline
    from desk.hours import when_text
    from desk.zones import zone_of_place

    zone_of_place("London")
    when_text("en")
    try:
        read_deadline("31 december", "en")
    except DeadlineError:
        logger.debug("Warmed up.")


def main() -> None:
    """Serve until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
    django.setup()
    _warm_up()
    # It speaks of a Rasa of another version on every single call; that pair is the one we test.
    warnings.filterwarnings("ignore", message="Your versions of rasa and rasa_sdk")
    app = build_app()
    logger.info("The action server listens on 127.0.0.1:%s", settings.ACTIONS_PORT)
    app.run(host="127.0.0.1", port=settings.ACTIONS_PORT, single_process=True, access_log=False, motd=False)
