"""Receipts of what was erased at somebody's request."""

from __future__ import annotations

from django.db import models


class Receipt(models.Model):
    """Proof that a person's data were erased: its number is told to them, nothing here says who they were."""

    number = models.CharField(max_length=30, unique=True)
    # Rows erased per kind of data, and numbers of requests that stay with their file.
    erased = models.JSONField(default=dict)
    kept = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "biên nhận xóa dữ liệu / erasure receipt"
        verbose_name_plural = "biên nhận xóa dữ liệu / erasure receipts"

    def __str__(self) -> str:
        return self.number
