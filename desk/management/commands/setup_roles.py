"""`manage.py setup_roles`: make the groups of the console and give them their rights (idempotent).

Where nobody has written canned replies yet, those of desk/canned_replies.yml are put in, to be changed or removed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db.models import Q
from wagtail.models import Collection, GroupCollectionPermission

from desk.models import CannedReply
from knowledge import workflow
from knowledge.staff import APPROVE_STATEMENT

SAMPLES = Path(__file__).resolve().parents[2] / "canned_replies.yml"
VERBS = ("add", "change", "view", "publish")
# Nothing here gives a right to pages: the console has none.
EDIT = [f"knowledge.{verb}_{model}" for model in ("entry", "translation") for verb in VERBS] + [
    f"knowledge.{verb}_evaluationcase" for verb in ("add", "change", "delete", "view")
]
CONSOLE = ["wagtailadmin.access_admin"]
REPLIES = [f"desk.{verb}_cannedreply" for verb in ("add", "change", "view")]
COLLEAGUES = [f"desk.{verb}_colleague" for verb in ("add", "change", "view", "delete")]
# An author writes and submits; the workflow (knowledge/workflow.py) leads to those who publish.
WRITE = [right for right in EDIT if not right.startswith(("knowledge.publish_", "knowledge.delete_"))]
MEMBERS = [f"knowledge.{verb}_member" for verb in ("add", "change", "view", "delete")]
# Roles by the short names of `staff_login --role`.
ROLES: dict[str, tuple[str, list[str]]] = {
    "author": ("Người viết / Authors", [*CONSOLE, *WRITE, "wagtaildocs.add_document", "wagtailimages.add_image"]),
    "editor": ("Biên tập / Editors", [*CONSOLE, *EDIT, "wagtaildocs.add_document", "wagtailimages.add_image"]),
    "press": (
        "Báo chí / Press officers",
        [*CONSOLE, "desk.work_press", "desk.release_answer", APPROVE_STATEMENT, *REPLIES],
    ),
    "desk": ("Tiếp nhận / Desk officers", [*CONSOLE, "desk.work_tickets", *REPLIES]),
    "head": (
        "Trưởng phòng / Heads",
        [
            *CONSOLE,
            *EDIT,
            *REPLIES,
            *COLLEAGUES,
            *MEMBERS,
            APPROVE_STATEMENT,
            "desk.delete_cannedreply",
            "desk.work_press",
            "desk.work_tickets",
            "desk.release_answer",
            "desk.assign_ticket",
            "desk.view_audit",
            "desk.pause_answers",
            "wagtaildocs.add_document",
            "wagtailimages.add_image",
            "knowledge.add_department",
            "knowledge.change_department",
            "knowledge.view_department",
            *(
                f"knowledge.{verb}_{model}"
                for model in ("entry", "translation")
                for verb in ("delete", "lock", "unlock")
            ),
        ],
    ),
}


class Command(BaseCommand):
    help = "Make the groups of the console and their permissions, and canned replies where there are none."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, wanted in ROLES.values():
            group, _ = Group.objects.get_or_create(name=name)
            query = Q(pk=None)
            for each in wanted:
                app, codename = each.split(".")
                query |= Q(content_type__app_label=app, codename=codename)
            found = Permission.objects.filter(query)
            group.permissions.set(found)
            # Wagtail asks for rights to documents and images collection by collection; there is one, made by `migrate`.
            root = Collection.get_first_root_node()
            for right in found.filter(content_type__app_label__in=("wagtaildocs", "wagtailimages")) if root else ():
                GroupCollectionPermission.objects.get_or_create(group=group, collection=root, permission=right)
            if options["verbosity"] > 1:
                self.stdout.write(f"{name}: {found.count()} permissions")
        workflow.set_up()
        if not CannedReply.objects.exists():
            CannedReply.objects.bulk_create(samples(), ignore_conflicts=True)


def samples() -> list[CannedReply]:
    """Return the canned replies that a new desk starts with, unsaved."""
    return [
        CannedReply(title=each.pop("title"), **{f"text_{language}": text for language, text in each.items()})
        for each in yaml.safe_load(SAMPLES.read_text(encoding="utf-8"))
    ]
