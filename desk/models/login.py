"""One-time login links of the console."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class LoginToken(models.Model):
    """The nonce of a user's one-time login link; it is deleted by the first use."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now=True)
