"""What of the starter content nobody of the city has approved yet, and approving it as it is.

The starter entries were compiled from public sources. An import publishes for nobody: a text whose live revision has a
user was published, hence read, by one of the city's people.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django_filters import ChoiceFilter
from wagtail.admin.filters import WagtailFilterSet
from wagtail.log_actions import log

from knowledge.importer import as_published
from knowledge.models import Entry, Translation

WAITING, APPROVED = "waiting", "approved"


def waiting() -> QuerySet[Entry]:
    """Return the live entries with a live text that nobody of the city has published."""
    texts = Translation.objects.filter(entry=OuterRef("pk"), live=True, live_revision__user=None)
    return Entry.objects.real().filter(Exists(texts), live=True)


def approve(entry: Entry, user: AbstractBaseUser) -> int:
    """Put a person's name to an entry and its live texts as readers see them; returns how many texts that were.

    Readers see no difference: no version counts on, nothing is encoded again. A text with a draft is left to the
    draft's publication.
    """
    texts = entry.translations.filter(live=True, has_unpublished_changes=False, live_revision__user=None)
    with transaction.atomic():
        done = 0
        for row in (*texts, entry):
            if row.has_unpublished_changes:
                continue
            as_published(row, user)
            log(row, "wagtail.publish", user=user, revision=row.live_revision, content_changed=False)
            done += row is not entry
    return done


class EntryFilterSet(WagtailFilterSet):
    """The filters of the list of entries."""

    starter = ChoiceFilter(
        label="Nội dung khởi đầu / Starter content",
        choices=[(WAITING, "chưa duyệt / not approved yet"), (APPROVED, "đã duyệt / approved")],
        method="by_approval",
    )

    class Meta:
        model = Entry
        fields = ["category", "department", "live"]

    def by_approval(self, rows: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        """Keep what waits for the city's approval, or what does not."""
        ids = waiting().values("pk")
        return rows.filter(pk__in=ids) if value == WAITING else rows.exclude(pk__in=ids)
