"""Count a new revision of the knowledge base whenever something readers can see has changed."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from knowledge.models import Entry, KnowledgeState, Source, Translation


@receiver([post_save, post_delete], sender=Entry, dispatch_uid="entry_changed")
@receiver([post_save, post_delete], sender=Translation, dispatch_uid="translation_changed")
@receiver([post_save, post_delete], sender=Source, dispatch_uid="source_changed")
def count_change(**_: Any) -> None:
    """Advance the revision in the same transaction as the change: both are seen or neither."""
    KnowledgeState.advance()
