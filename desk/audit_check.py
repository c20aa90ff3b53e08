"""Walks the audit log and says where it was tampered with; `manage.py verify_audit` prints what is found.

Reads only, and locks nobody out: a record and the head that counts it are committed together, so the head as it was
before the walk must be found in it, and the head after it must have counted all that was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from desk import audit
from desk.models import AuditHead, AuditRecord, TicketEvent

CHUNK = 2000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: `kind` for programs, `place` a record's number or a ticket's, `text` for people."""

    kind: str
    place: str
    text: str


@dataclass
class Report:
    """What a check found: how long the chain is, its last hash, the first fault of the chain, those of the tickets."""

    records: int = 0
    hash: str = audit.START
    events: int = 0
    # Lines of history written before there was an audit log.
    older: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify(anchor: tuple[int, str] | None = None) -> Report:
    """Check the chain, and each ticket's history against it.

    `anchor` is a record's number and hash that were noted elsewhere: a chain that was rewritten as a whole, its head
    included, fits itself but not that. Of the chain the first fault is told (behind it nothing can be trusted), of the
    tickets all.
    """
    report = Report()
    for fault in _chain(report, anchor):
        report.faults.append(fault)
        break
    report.faults.extend(_history(report))
    return report


def _chain(report: Report, anchor: tuple[int, str] | None) -> Iterator[Fault]:
    head_before = AuditHead.objects.filter(pk=audit.HEAD).first() or AuditHead(pk=audit.HEAD)
    known = {head_before.count: head_before.hash}
    last: AuditRecord | None = None
    for row in AuditRecord.objects.order_by("sequence").iterator(CHUNK):
        if fault := _link(row, last):
            yield fault
        if known.get(row.sequence, row.hash) != row.hash:
            yield Fault("changed", str(row.sequence), f"The head does not fit record {row.sequence}: rewritten.")
        if anchor and anchor[0] == row.sequence and anchor[1] != row.hash:
            yield Fault("rewritten", str(row.sequence), f"Record {row.sequence} has not the hash that was noted.")
        last = row
        report.records, report.hash = row.sequence, row.hash
    seen = last.sequence if last else 0
    head_after = AuditHead.objects.filter(pk=audit.HEAD).first() or AuditHead(pk=audit.HEAD)
    if seen < head_before.count:
        yield Fault("tail", str(seen + 1), f"Records {seen + 1} to {head_before.count} at the end were removed.")
    if seen > head_after.count:
        place = head_after.count + 1
        yield Fault("inserted", str(place), f"Record {place} was put in past the head, or the head set back.")
    if anchor and anchor[0] > seen:
        yield Fault("tail", str(seen + 1), f"The log ends at {seen}, but record {anchor[0]} was noted.")


def _link(row: AuditRecord, last: AuditRecord | None) -> Fault | None:
    """Tell what is wrong between a record and the one before it."""
    number, before = (last.sequence, last.hash) if last else (0, audit.START)
    fits = audit.hash_of(row) == row.hash
    if row.sequence <= 0:
        return Fault("inserted", str(row.sequence), f"Record {row.sequence} was put in: numbers begin with 1.")
    if row.sequence != number + 1:
        gone = f"{number + 1}" if row.sequence == number + 2 else f"{number + 1} to {row.sequence - 1}"
        return Fault("removed", str(number + 1), f"Removed: {gone}. Record {row.sequence} follows {number}.")
    if row.previous != before:
        if last is not None and row.previous == last.previous:
            return Fault("inserted", str(number), f"Record {number} was put in between.")
        if fits:
            return Fault("changed", str(number), f"Record {number} was changed and given a new hash.")
    if not fits:
        return Fault("changed", str(row.sequence), f"Record {row.sequence} was changed.")
    return None


def _history(report: Report) -> Iterator[Fault]:
    """Compare every line of every ticket's history with its record: neither exists without the other."""
    # Read first: a line that is written meanwhile has its record in the log, not the other way round.
    lines = TicketEvent.objects.order_by("id").values_list("id", "type", "text", "ticket__number", "ticket__erased_at")
    events = {row[0]: row[1:] for row in lines.iterator(CHUNK)}
    report.events, first, found = len(events), None, set()
    rows = AuditRecord.objects.filter(data__event__isnull=False).order_by("sequence")
    for row in rows.iterator(CHUNK):
        key = row.data["event"]
        first = key if first is None else min(first, key)
        found.add(key)
        if key not in events:
            if not TicketEvent.objects.filter(pk=key).exists():
                text = f"Record {row.sequence}: line {key} of {row.subject} is gone."
                yield Fault("event_removed", row.subject, text)
            continue
        kind, text, number, erased_at = events[key]
        if (kind, number) != (row.action, row.subject):
            yield Fault("event_changed", number, f"Line {key} of {number} is {kind}, recorded as {row.action} of "
                        f"{row.subject}.")  # fmt: skip
        if audit.digest(text) != row.data.get("text", "") and not (erased_at and not text):
            yield Fault("event_changed", number, f"The text of line {key} of {number} is not what was recorded.")
    for key, (kind, _, number, _) in events.items():
        if key in found:
            continue
        if first is None or key < first:
            report.older += 1
        else:
            yield Fault("event_unrecorded", number, f"Line {key} ({kind}) of {number} has no record.")
