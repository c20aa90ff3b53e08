"""Keeps the index the same as the published knowledge base: notices a change, builds aside, switches."""

from __future__ import annotations

import logging
import threading
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


class Keeper:
    """Holds the searcher that serves, and replaces it when something was published."""

    def __init__(self, folder: Path, embedder: Embedder, poll_seconds: float) -> None:
        self.folder = folder
        self.embedder = embedder
        self.poll_seconds = poll_seconds
        self.searcher: Searcher | None = None
        self._calibration: Calibration | None = None
        self._declined = NONE
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
            return snapshots.load_current(self.folder, self.embedder.name, geometry_of(self.embedder).digest)
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
        self.searcher = Searcher(snapshot, self.embedder, self._calibration, declined=self._declined)
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
    geometry = geometry or geometry_of(embedder)
    # The number first: what is published while we read makes the next revision, never a lost one.
    revision = KnowledgeState.current()
    passages = tuple(published_passages())
    vectors, tokens = snapshots.encode(passages, embedder, known, geometry, progress)
    made = Snapshot(revision, embedder.name, passages, vectors, tokens, geometry.digest)
    snapshots.write(folder, made)
    return made
