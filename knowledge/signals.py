"""Count a new revision of the knowledge base whenever something readers can see has changed."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from knowledge.models import Entry, KnowledgeState, Source, Translation

# What saving a draft writes to the live row.
DRAFT_FIELDS = frozenset({"latest_revision", "has_unpublished_changes"})


@receiver([post_save, post_delete], sender=Entry, dispatch_uid="entry_changed")
@receiver([post_save, post_delete], sender=Translation, dispatch_uid="translation_changed")
@receiver([post_save, post_delete], sender=Source, dispatch_uid="source_changed")
def count_change(update_fields: frozenset[str] | None = None, **_: Any) -> None:
    """Advance the revision in the same transaction as the change: both are seen or neither.

    Saving a draft touches the row's bookkeeping only, and the console does that while somebody types.
    """
    if update_fields is None or not update_fields <= DRAFT_FIELDS:
        KnowledgeState.advance()


@receiver(pre_save, sender=Translation, dispatch_uid="translation_published")
def count_version(instance: Translation, update_fields: frozenset[str] | None = None, **_: Any) -> None:
    """Advance a translation's version when Wagtail publishes it: button, workflow, schedule or revert.

    Each of them ends in one save that makes a live row point at a new live revision, and only before that
    save are the texts still there that readers saw until now. The importer counts by itself; it sets the
    live revision without a save.
    """
    if update_fields is not None or instance.pk is None or not instance.live:
        return
    before = Translation.objects.filter(pk=instance.pk).first()
    if before is not None and instance.live_revision_id != before.live_revision_id:
        instance.count_version(before)
