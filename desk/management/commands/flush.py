"""`manage.py flush`: Django's, which could not empty the audit log otherwise; never in production."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import flush
from django.db import connections

from desk import audit_guard


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("In production nothing empties the database: the audit log would go with it.")
        with audit_guard.down(connections[options["database"]]):
            super().handle(**options)
