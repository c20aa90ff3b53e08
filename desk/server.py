"""Serve the staff console: `python -m desk.server`."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Serve until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
    from waitress import create_server

    from desk.wsgi import application

    # The settings are read by the import above.
    from django.conf import settings  # isort: skip

    server = create_server(application, host=settings.BIND, port=settings.DESK_PORT, threads=4)

    def stop(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run()


if __name__ == "__main__":
    main()
