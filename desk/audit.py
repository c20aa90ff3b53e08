"""The audit log: an append-only chain in which every record carries the hash of the one before it.

hash = SHA-256 over the record's canonical JSON (keys sorted, no spaces, UTF-8), the previous record's hash included:
a record changed, removed or put in between breaks the chain at its place, and one missing at the end is shown by the
head, which counts the records. The database refuses changes too (desk/audit_guard.py), `manage.py verify_audit`
walks the chain (desk/audit_check.py); docs/audit.md says what is recorded and what the chain can and cannot show.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from desk.models import AuditHead, AuditRecord

HEAD = 1
START = "0" * 64  # what the first record names as the hash before it


def digest(text: str) -> str:
    """Return what the log keeps of somebody's words: nothing that can be read, enough to prove them unchanged."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def record(
    action: str, subject: str, *, actor: AbstractBaseUser | None = None, press: bool = False, **data: Any
) -> AuditRecord:
    """Add one record, in the caller's transaction if there is one: what is rolled back was never done.

    `action` is what was done (a ticket event's type, "viewed", "downloaded" …), `subject` what it was done to (a ticket
    number, an entry's slug), `actor` None for the asker and the system. `data` must be JSON and must not hold anybody's
    words (give `digest(words)`). Raises TypeError for what JSON cannot hold, DatabaseError when it cannot be written:
    what cannot be recorded must not be done.
    """
    # As it will be read back: keys are strings, tuples lists, and fractions text (PostgreSQL writes 1e20 otherwise).
    data = json.loads(json.dumps(data), parse_float=str)
    with transaction.atomic():
        AuditHead.objects.get_or_create(pk=HEAD)
        head = AuditHead.objects.select_for_update().get(pk=HEAD)
        row = AuditRecord(
            sequence=head.count + 1, at=timezone.now(), actor=actor.get_username() if actor else "", action=action[:40],
            subject=subject[:120], press=press, data=data, previous=head.hash,
        )
        row.hash = hash_of(row)
        row.save()
        head.count, head.hash = row.sequence, row.hash
        head.save()
    return row


def hash_of(row: AuditRecord) -> str:
    """Return the hash a record must have."""
    body = {
        "sequence": row.sequence, "at": row.at.astimezone(timezone.get_fixed_timezone(0)).isoformat(),
        "actor": row.actor, "action": row.action, "subject": row.subject, "press": row.press, "data": row.data,
        "previous": row.previous,
    }
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def canonical(body: dict[str, Any]) -> str:
    """Return JSON that is always written the same way."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
