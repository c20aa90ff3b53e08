"""Serve the staff console: `python -m desk.server`."""

from __future__ import annotations

import logging
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

    # A page asks for more files at once than there are threads; that they wait a moment is no trouble.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # Waitress takes a proxy's headers off unless it is told to trust the proxy, and then Django would never know that
    # a request came over TLS. That proxy stands on this machine (docs/operations.md); only the protocol is believed,
    # and the client's address when CITYDESK_PROXIES says how many proxies there are: logins are locked by it.
    headers = {"x-forwarded-proto"} | ({"x-forwarded-for"} if settings.PROXIES else set())
    server = create_server(
        application, host=settings.BIND, port=settings.DESK_PORT, threads=4,
        trusted_proxy="127.0.0.1", trusted_proxy_count=settings.PROXIES or 1, trusted_proxy_headers=headers,
        clear_untrusted_proxy_headers=True,
    )

    def stop(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run()


if __name__ == "__main__":
    main()
