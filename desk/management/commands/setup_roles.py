"""`manage.py setup_roles`: make the groups of the console and give them their rights (idempotent)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db.models import Q

VERBS = ("add", "change", "view", "publish")
# Nothing here gives a right to pages: the console has none.
EDIT = [f"knowledge.{verb}_{model}" for model in ("entry", "translation") for verb in VERBS]
CONSOLE = ["wagtailadmin.access_admin"]
REPLIES = [f"desk.{verb}_cannedreply" for verb in ("add", "change", "view")]
# Roles by the short names of `staff_login --role`.
ROLES: dict[str, tuple[str, list[str]]] = {
    "editor": ("Biên tập / Editors", [*CONSOLE, *EDIT, "wagtaildocs.add_document", "wagtailimages.add_image"]),
    "press": ("Báo chí / Press officers", [*CONSOLE, "desk.work_press", "desk.release_answer", *REPLIES]),
    "desk": ("Tiếp nhận / Desk officers", [*CONSOLE, "desk.work_tickets", *REPLIES]),
    "head": (
        "Trưởng phòng / Heads",
        [*CONSOLE, *EDIT, *REPLIES, "desk.work_press", "desk.work_tickets", "desk.release_answer", "desk.assign_ticket",
         "desk.view_audit", "wagtaildocs.add_document",
         "wagtailimages.add_image", "knowledge.add_department", "knowledge.change_department",
         "knowledge.view_department",
         *(f"knowledge.{verb}_{model}" for model in ("entry", "translation") for verb in ("delete", "lock", "unlock"))],
    ),
}


class Command(BaseCommand):
    help = "Make the groups of the console and their permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, wanted in ROLES.values():
            group, _ = Group.objects.get_or_create(name=name)
            query = Q(pk=None)
            for each in wanted:
                app, codename = each.split(".")
                query |= Q(content_type__app_label=app, codename=codename)
            found = Permission.objects.filter(query)
            group.permissions.set(found)
            if options["verbosity"] > 1:
                self.stdout.write(f"{name}: {found.count()} permissions")
