#!/usr/bin/env python
"""The one command line of Citydesk: `python manage.py help` lists what it can do."""

import os
import sys


def main() -> None:
    """Run the named command with the product's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
