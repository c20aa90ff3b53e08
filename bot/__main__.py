"""Start the `bot` process: `python -m bot`."""

import os

import django


def main() -> None:
    """Set Django up, then serve until told to stop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
    django.setup()
    import uvicorn
    from django.conf import settings

    from bot.app import build_app

    uvicorn.run(
        build_app(), host=settings.BIND, port=settings.CHAT_PORT, access_log=False, log_level="warning",
        log_config=None,  # its own would write exceptions with all they say (desk/logs.py)
        timeout_graceful_shutdown=3, proxy_headers=True,
    )


if __name__ == "__main__":
    main()
