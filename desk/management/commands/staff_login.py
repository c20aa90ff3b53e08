"""`manage.py staff_login [--user NAME] [--role ROLE]`: print a one-time login link for the console."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from desk.login import make_link
from desk.management.commands.setup_roles import ROLES


class Command(BaseCommand):
    help = "Print a one-time login link (30 minutes); the user is made when missing, without a password."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--user", help="user name (default: the role's name)")
        parser.add_argument("--role", choices=[*ROLES, "admin"], default="admin")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("setup_roles", verbosity=0)
        role = options["role"]
        user, created = get_user_model().objects.get_or_create(username=options["user"] or role)
        if created:
            user.set_unusable_password()
            user.is_superuser = user.is_staff = role == "admin"
            user.save()
        if not user.is_active:
            raise CommandError(f"The user {user.get_username()!r} is not active: an administrator must activate it.")
        if role == "admin" and not user.is_superuser:
            self.stderr.write(f"{user.get_username()!r} was there already and stays as it is: not an administrator.")
        if role != "admin":
            user.groups.add(Group.objects.get(name=ROLES[role][0]))
        self.stdout.write(make_link(user))
