"""`manage.py retention`: erase what people left behind and whose time is over, or say what that would be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bot import retention
from bot.retention import Row
from desk.models import AuditRecord, Receipt


class Command(BaseCommand):
    help = "Erase what is older than its kind of data may be kept (docs/privacy.md); the worker does it by itself."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only, erase nothing")
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = retention.run(dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(report), default=str))
            return
        done = "due" if report.dry_run else "erased"
        self.stdout.write(f"{'kind':<16}{'kept for':<12}{done:>8}  oldest")
        for row in report.kinds:
            self.stdout.write(_line(row))
        self.stdout.write(f"{'receipts':<16}{'always':<12}{'-':>8}  {Receipt.objects.count()} kept")
        self.stdout.write(f"{'audit records':<16}{'always':<12}{'-':>8}  {AuditRecord.objects.count()} kept")


def _line(row: Row) -> str:
    kept = f"{row.days} days" if row.days else "always"
    oldest = f"{timezone.localtime(row.oldest):%Y-%m-%d}" if row.oldest else "-"
    return f"{row.kind:<16}{kept:<12}{row.rows:>8}  {oldest}"
