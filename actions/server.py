"""The action server's process: Django first, then the actions, on loopback only."""

from __future__ import annotations

import logging
import os

import django
from django.conf import settings

logger = logging.getLogger(__name__)


def build_app() -> object:
    """Return the Sanic application with every action of this package registered."""
    from rasa_sdk.endpoint import create_app
    from rasa_sdk.executor import ActionExecutor

    executor = ActionExecutor()
    executor.register_package("actions")
    return create_app(executor)


def main() -> None:
    """Serve until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
    django.setup()
    # Reading the words of dates takes 200 ms the first time: not on somebody's first deadline.
    from actions.deadline import DeadlineError, read_deadline

    try:
        read_deadline("31 december", "en")
    except DeadlineError:
        logger.debug("Warmed up.")
    app = build_app()
    logger.info("The action server listens on 127.0.0.1:%s", settings.ACTIONS_PORT)
    app.run(
        host="127.0.0.1", port=settings.ACTIONS_PORT, single_process=True, access_log=False, motd=False
    )
