"""The audit log: who saw, changed, released or erased what; each record carries the hash of the one before it.

What a record says about a person's words is a digest of them, never the words: those can be erased later without
breaking the chain.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class Records(models.QuerySet["AuditRecord"]):
    """The records; what would change or remove some is refused here, and in the database by desk/audit_guard.py."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit log is append-only: nothing in it can be changed or removed.")

    update = delete = bulk_update = bulk_create = update_or_create = _refuse
    update.alters_data = delete.alters_data = True  # type: ignore[attr-defined]


class AuditRecord(models.Model):
    """One thing that was done; records are added by desk/audit.py alone, never changed or removed."""

    # Counted without gaps (a primary key skips numbers after a rollback, a missing record must show).
    sequence = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    # The user name as it was: a colleague's account may be renamed or removed. "" is the system or the asker.
    actor = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    press = models.BooleanField(default=False)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = Records.as_manager()

    class Meta:
        ordering = ["sequence"]
        indexes = [models.Index(fields=["subject", "sequence"])]
        verbose_name = "nhật ký / audit record"
        verbose_name_plural = "nhật ký / audit records"

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add a record; refuse to change one."""
        if not self._state.adding:
            raise TypeError("The audit log is append-only: add another record instead of changing this one.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: nothing is ever taken out of the log."""
        raise TypeError("The audit log is append-only: records cannot be removed.")


class AuditHead(models.Model):
    """The end of the chain: one row, locked while a record is added; it shows when the last records are missing."""

    count = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)
