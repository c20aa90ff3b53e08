"""What staff decided about questions that nothing answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class GapDecision(models.Model):
    """One question that somebody looked at, with what became of it; it goes when the question is erased."""

    class Kind(models.TextChoices):
        """What was done."""

        DRAFTED = "drafted", "Soạn mục mới / new entry drafted"
        ALTERNATIVE = "alternative", "Thêm cách hỏi / added as a way to ask"
        ALIAS = "alias", "Thêm tên gọi / added as another name"
        DISMISSED = "dismissed", "Bỏ qua / dismissed"

    turn = models.OneToOneField("bot.Turn", on_delete=models.CASCADE, related_name="gap_decision")
    kind = models.CharField(max_length=20, choices=Kind)
    reason = models.CharField(max_length=300, blank=True)
    entry = models.ForeignKey("knowledge.Entry", null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "quyết định / decision on an unanswered question"
