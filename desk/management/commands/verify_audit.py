"""`manage.py verify_audit [--json] [--noted NUMBER:HASH]`: check that nobody has tampered with the audit log."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from desk.audit_check import verify


class Command(BaseCommand):
    help = "Check the audit log's hash chain and every ticket's history against it; ends with 1 when it is broken."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true", help="the report as JSON")
        parser.add_argument(
            "--noted", metavar="NUMBER:HASH", help="a record noted elsewhere, which must be there still"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify(_anchor(options["noted"]))
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not report.faults} | dataclasses.asdict(report), ensure_ascii=False))
        else:
            for fault in report.faults:
                self.stdout.write(f"BROKEN ({fault.kind}, {fault.place}): {fault.text}")
            older = f" ({report.older} from before there was a log)" if report.older else ""
            state = "broken" if report.faults else "unbroken"
            self.stdout.write(f"{report.records} records, {report.events} lines of tickets{older}: {state}")
            self.stdout.write(f"last: {report.records}:{report.hash}")
        if report.faults:
            sys.exit(1)


def _anchor(noted: str | None) -> tuple[int, str] | None:
    if not noted:
        return None
    number, _, value = noted.partition(":")
    if not number.isdecimal() or len(value) != 64:
        raise CommandError(f"--noted is {noted!r}; give it as verify_audit prints it: NUMBER:HASH.")
    return int(number), value
