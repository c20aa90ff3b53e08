"""The staff console as a Django application."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Tickets, roles, the inbox."""

    name = "desk"
    verbose_name = "Bàn tiếp nhận"

    def ready(self) -> None:
        """Guard the audit log, record what happens outside the ticket steps, keep Wagtail to the content policy."""
        from desk import audit_guard, audit_signals, security_wagtail

        audit_guard.connect(self)
        audit_signals.connect()
        security_wagtail.connect()
