"""`manage.py retention`: erase the conversations whose time is over, or say what that would be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand

from bot import retention


class Command(BaseCommand):
    help = "Erase what is older than CITYDESK_RETENTION_DAYS and belongs to no ticket."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only, erase nothing")
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = retention.run(dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(report)))
        elif not report.days:
            self.stdout.write("Retention is off: CITYDESK_RETENTION_DAYS is 0.")
        else:
            done = "due" if report.dry_run else "erased"
            for kind, count in report.rows.items():
                self.stdout.write(f"{kind}: {count} {done} (older than {report.days} days)")
