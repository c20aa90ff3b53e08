"""Keeps the index the same as the published knowledge base: notices a change, builds aside, switches."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from django.db import DatabaseError, close_old_connections

from knowledge import snapshot as snapshots
from knowledge.embedder import Embedder
from knowledge.errors import SnapshotError
from knowledge.models import KnowledgeState
from knowledge.passages import published_passages
from knowledge.searcher import Calibration, Searcher
from knowledge.snapshot import Snapshot

logger = logging.getLogger(__name__)


class Keeper:
    """Holds the searcher that serves, and replaces it when something was published."""

    def __init__(self, folder: Path, embedder: Embedder, poll_seconds: float) -> None:
        self.folder = folder
        self.embedder = embedder
        self.poll_seconds = poll_seconds
        self.searcher: Searcher | None = None
        self._calibration: Calibration | None = None
        self._stop = threading.Event()

    def start(self) -> None:
        """Load or build the first index, then watch in the background.

        Raises:
            NotCalibrated, ModelMissing: nothing can be searched with this model.
            DatabaseError: the database cannot be read and there is no snapshot to serve meanwhile.
        """
        self._calibration = Calibration.read(self.embedder.name)
        snapshot = self.load()
        if snapshot is not None:
            self._serve(snapshot)
        try:
            self.refresh()
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
            return snapshots.load_current(self.folder, self.embedder.name)
        except SnapshotError as error:
            logger.warning("Index snapshot refused: %s Building it again now.", error)
            return None

    def refresh(self) -> bool:
        """Build and switch to a new snapshot if the knowledge base has changed; tell whether it had."""
        revision = KnowledgeState.current()
        known = self.searcher.snapshot if self.searcher else None
        if known is not None and known.revision == revision:
            return False
        self._serve(build(self.folder, self.embedder, known))
        return True

    def _serve(self, snapshot: Snapshot) -> None:
        # One assignment: a request uses the old searcher or the new one, never half of each.
        self.searcher = Searcher(snapshot, self.embedder, self._calibration)
        logger.info("Index at revision %s: %s passages", snapshot.revision, len(snapshot.passages))

    def _watch(self) -> None:
        while not self._stop.wait(self.poll_seconds):
            try:
                self.refresh()
            except DatabaseError as error:
                logger.warning("The knowledge base cannot be read (%s); serving revision as it is", error)
                close_old_connections()
            except Exception:  # an index that cannot be built must not stop the one that serves
                logger.exception("The index could not be built; serving the old one")


def build(
    folder: Path, embedder: Embedder, known: Snapshot | None = None, progress: snapshots.Progress | None = None
) -> Snapshot:
    """Build a snapshot of what is published now, make it current, and return it."""
    # The number first: what is published while we read makes the next revision, never a lost one.
    revision = KnowledgeState.current()
    passages = tuple(published_passages())
    vectors = snapshots.encode(passages, embedder, known, progress)
    snapshots.write(folder, passages, vectors, embedder.name, revision)
    return Snapshot(revision, embedder.name, passages, vectors)
