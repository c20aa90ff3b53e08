"""`manage.py import_content [FOLDER] [--replace]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from knowledge.content_files import ContentError
from knowledge.importer import import_folder


class Command(BaseCommand):
    help = "Import content files; what editors changed since is kept, unless --replace is given."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=settings.BASE_DIR / "knowledge" / "content")
        parser.add_argument("--replace", action="store_true", help="overwrite entries that differ from their file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = import_folder(options["folder"], replace=options["replace"])
        except ContentError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"→ knowledge base: {len(report.created)} new, {len(report.updated)} replaced, "
            f"{len(report.unchanged)} unchanged, {len(report.kept)} kept as edited in the console"
        )
        for slug in report.kept:
            self.stdout.write(f"   kept: {slug} (differs from its file; --replace overwrites it)")
