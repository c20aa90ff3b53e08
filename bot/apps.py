"""The channels' side of the database as a Django application."""

from django.apps import AppConfig


class BotConfig(AppConfig):
    """Conversations, the updates they consist of, their outcomes, and the outbox."""

    name = "bot"
    verbose_name = "Hội thoại"
