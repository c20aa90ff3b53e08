"""`manage.py export_content FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from knowledge.importer import export_folder


class Command(BaseCommand):
    help = "Write the knowledge base as content files, without loss."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        count = export_folder(options["folder"])
        self.stdout.write(f"{count} entries written to {options['folder']}")
