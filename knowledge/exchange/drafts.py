"""Makes drafts of what a file proposes, in one transaction; readers see none of it until an editor publishes it.

A draft takes some 20 ms (revision, log, search index), in which SQLite lets nobody else write: a large file is worked
off in several transactions. What has become a draft is unchanged in the next plan, so the same file goes on there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from knowledge.exchange.plan import Plan
from knowledge.models import Entry

# Some six seconds; the bot waits up to twenty for its turn to write.
AT_ONCE = 300


@dataclass
class Made:
    """How many drafts were made: of new entries, of entries that were there, of texts; how many entries are left."""

    new: int = 0
    changed: int = 0
    texts: int = 0
    left: int = 0


def make_drafts(plan: Plan, user: Any) -> Made:
    """Make a draft of what is ready, entry by entry; what is live stays, with the draft as its latest revision.

    All or nothing of the first `AT_ONCE` drafts, and always whole entries; `left` says how many entries remain.
    """
    made = Made()
    with transaction.atomic():
        for number, proposal in enumerate(plan.ready):
            if made.new + made.changed + made.texts >= AT_ONCE:
                made.left = len(plan.ready) - number
                break
            for change in proposal.changes:
                draft: Any = change.draft
                if change.new:
                    draft.save()
                draft.save_revision(user=user, log_action=True)
                if not isinstance(draft, Entry):
                    made.texts += 1
                elif change.new:
                    made.new += 1
                else:
                    made.changed += 1
    return made
