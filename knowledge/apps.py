"""The knowledge base as a Django application."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    """Entries, their translations, and the signals that tell the search service about a change."""

    name = "knowledge"
    verbose_name = "Kho tri thức"

    def ready(self) -> None:
        """Connect the signals that count the knowledge base's revisions."""
        from knowledge import signals  # noqa: F401
