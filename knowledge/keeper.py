"""Keeps the index the same as the published knowledge base: notices a change, builds aside, switches.

What was published is served as soon as it can be searched; the snapshot is written, for the next start, when nothing
newer waits.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

from django.db import DatabaseError, close_old_connections

from knowledge import snapshot as snapshots
from knowledge.declined import NONE, Declined
from knowledge.embedder import Embedder
from knowledge.errors import SnapshotError
from knowledge.geometry import Geometry
from knowledge.models import KnowledgeState
from knowledge.passages import published_passages
from knowledge.searcher import Calibration, Searcher
from knowledge.snapshot import Snapshot

logger = logging.getLogger(__name__)
# Seconds until a snapshot that could not be written is tried again.
WRITE_AGAIN = 60.0


class Keeper:
    """Holds the searcher that serves, and replaces it when something was published."""

    def __init__(self, folder: Path, embedder: Embedder, poll_seconds: float) -> None:
        self.folder = folder
        self.embedder = embedder
        self.poll_seconds = poll_seconds
        self.searcher: Searcher | None = None
        self._calibration: Calibration | None = None
        self._declined = NONE
        self._write_at: float | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Load or build the first index, then watch in the background.

        Raises:
            NotCalibrated, ModelMissing: nothing can be searched with this model.
            DatabaseError: the database cannot be read and there is no snapshot to serve meanwhile.
        """
        self._calibration = Calibration.read(self.embedder.name)
        self._declined = Declined.kept(self.folder, self.embedder, self._calibration.geometry)
        snapshot = self.load()
        if snapshot is not None:
            self._serve(snapshot)
        try:
            while self.refresh():
                pass
        except DatabaseError as error:
            if self.searcher is None:
                raise
            logger.warning("The knowledge base cannot be read (%s); serving the snapshot as it is", error)
        threading.Thread(target=self._watch, name="keeper", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()

    def load(self) -> Snapshot | None:
        """Return the current snapshot; one that is not right is refused, said so, and built again."""
        try:
            return snapshots.load_current(self.folder, self.embedder.name, geometry_of(self.embedder).digest)
        except SnapshotError as error:
            logger.warning("Index snapshot refused: %s Building it again now.", error)
            return None

    def refresh(self) -> bool:
        """Build and switch to a new snapshot if the knowledge base has changed; tell whether it had.

        When it had not, what is served is written if it is not on disk yet.
        """
        revision = KnowledgeState.current()
        known = self.searcher.snapshot if self.searcher else None
        if known is not None and known.revision == revision:
            self._write(known)
            return False
        made = assemble(self.embedder, known, self._calibration.geometry if self._calibration else None)
        if known is not None and made.passages == known.passages and made.geometry == known.geometry:
            self._serve_as(made.revision)
        else:
            self._serve(made)
        self._write_at = time.monotonic()
        return True

    def _write(self, snapshot: Snapshot) -> None:
        """Write what is served, if that is due; a full disk keeps nobody from an answer, it is tried again later."""
        if self._write_at is None or time.monotonic() < self._write_at:
            return
        try:
            snapshots.write(self.folder, snapshot)
            self._write_at = None
        except OSError as error:
            self._write_at = time.monotonic() + WRITE_AGAIN
            logger.warning(
                "Revision %s is served, but its snapshot cannot be written to %s (%s); trying again in %.0f s",
                snapshot.revision, self.folder, error, WRITE_AGAIN,
            )

    def _serve_as(self, revision: int) -> None:
        """Serve the same texts under a new revision: a source or a date was changed that no search reads."""
        searcher = copy.copy(self.searcher)
        assert searcher is not None
        searcher.snapshot = replace(searcher.snapshot, revision=revision)
        self.searcher = searcher

    def _serve(self, snapshot: Snapshot) -> None:
        # One assignment: a request uses the old searcher or the new one, never half of each.
        self.searcher = Searcher(snapshot, self.embedder, self._calibration, declined=self._declined)
        logger.info("Index at revision %s: %s passages", snapshot.revision, len(snapshot.passages))

    def _watch(self) -> None:
        changed = False
        # Right after a change it looks again: what was published while it built has waited long enough.
        while not self._stop.wait(0 if changed else self.poll_seconds):
            changed = False
            try:
                changed = self.refresh()
            except DatabaseError as error:
                logger.warning("The knowledge base cannot be read (%s); serving revision as it is", error)
                close_old_connections()
            except Exception:  # an index that cannot be built must not stop the one that serves
                logger.exception("The index could not be built; serving the old one")


def geometry_of(embedder: Embedder) -> Geometry:
    """Return the numbers that make the model's vectors comparable; raises NotCalibrated."""
    return Calibration.read(embedder.name).geometry


def open_searcher(folder: Path, embedder: Embedder) -> Searcher:
    """Return a search over what is published now, for commands; builds the index when it is of another revision."""
    calibration = Calibration.read(embedder.name)
    known = Keeper(folder, embedder, 1).load()
    if known is None or known.revision != KnowledgeState.current():
        known = build(folder, embedder, known)
    declined = Declined.kept(folder, embedder, calibration.geometry)
    return Searcher(known, embedder, calibration, declined=declined)


def build(
    folder: Path,
    embedder: Embedder,
    known: Snapshot | None = None,
    progress: snapshots.Progress | None = None,
    geometry: Geometry | None = None,
) -> Snapshot:
    """Build a snapshot of what is published now, make it current, and return it."""
    made = assemble(embedder, known, geometry, progress)
    snapshots.write(folder, made)
    return made


def assemble(
    embedder: Embedder,
    known: Snapshot | None = None,
    geometry: Geometry | None = None,
    progress: snapshots.Progress | None = None,
) -> Snapshot:
    """Return a snapshot of what is published now, not written yet; texts that `known` holds are not encoded again."""
    geometry = geometry or geometry_of(embedder)
    # The number first: what is published while we read makes the next revision, never a lost one.
    revision = KnowledgeState.current()
    passages = tuple(published_passages())
    vectors, tokens = snapshots.encode(passages, embedder, known, geometry, progress)
    return Snapshot(revision, embedder.name, passages, vectors, tokens, geometry.digest)
