"""The staff console as a Django application."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Tickets, roles, the inbox."""

    name = "desk"
    verbose_name = "Bàn tiếp nhận"
