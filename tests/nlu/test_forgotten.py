"""What `bot` erases in Rasa's file is gone for Rasa: the store of nlu/tracker_store.py keeps nothing beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot import trackers

ROOT = Path(__file__).resolve().parents[2]
RASA = ROOT / ".venv" / "rasa" / "bin" / "python"
# One process, as Rasa is one: it writes, waits until the other has erased, and reads again.
SCRIPT = """
import asyncio, sys, warnings
warnings.simplefilter("ignore")
from nlu import without_tensorflow
without_tensorflow.install()
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted, UserUttered
from nlu.tracker_store import SqliteTrackerStore

async def main():
    store = SqliteTrackerStore(Domain.empty(), sys.argv[1])
    for sender in ("mine", "theirs"):
        tracker = await store.get_or_create_tracker(sender)
        tracker.update(SessionStarted())
        tracker.update(UserUttered("Zanzibar-7391"))
        await store.save(tracker)
    print("written", flush=True)
    sys.stdin.readline()
    print(*[await store.retrieve(sender) is not None for sender in ("mine", "theirs")], sep=",", flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(not RASA.exists(), reason="needs Rasa's environment (make setup)")
def test_rasa_has_forgotten_at_once_and_only_that_one(settings, tmp_path) -> None:
    settings.RASA_TRACKERS = tmp_path / "trackers.sqlite3"
    with subprocess.Popen(
        [RASA, "-c", SCRIPT, settings.RASA_TRACKERS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as rasa:
        assert rasa.stdin
        assert rasa.stdout
        assert rasa.stdout.readline() == "written\n"
        assert trackers.count("mine") == trackers.count("theirs") > 1
        assert "Zanzibar-7391" in "".join(trackers.events("mine"))
        assert trackers.erase(["mine"]) > 1
        rasa.stdin.write("\n")
        rasa.stdin.flush()
        assert rasa.stdout.readline() == "False,True\n"
    assert rasa.returncode == 0
