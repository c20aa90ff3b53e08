"""What is published is answered, what is not is not: with an old index, a full disk, a killed build, a damaged file."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from starlette.testclient import TestClient

from knowledge import keeper as keepers
from knowledge import searcher as searchers
from knowledge import service, snapshot
from knowledge.answers import load_answer, load_questions
from knowledge.errors import SnapshotError
from knowledge.geometry import PLAIN
from knowledge.keeper import Keeper
from knowledge.management.commands import check_index
from knowledge.models import Entry, KnowledgeState, Sensitivity, Source, Translation
from knowledge.searcher import FEATURES, Calibration
from tests.knowledge.builders import entry, translation
from tests.knowledge.keyword_embedder import KeywordEmbedder
from tests.knowledge.test_snapshot import built

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = tuple(6.0 if name == "coverage" else 0.0 for name in FEATURES)
TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def keeper(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """A keeper over three entries; it looks for changes when it is told to."""
    by_hand = Calibration(KeywordEmbedder.name, 0.5, 0.2, bias=-3.0, weights=WEIGHTS)
    monkeypatch.setattr(searchers.Calibration, "read", classmethod(lambda *_: by_hand))
    translation(entry("boats"), "en", "boat price", "Ask at the pier.")
    translation(entry("hours"), "en", "pagoda open", "In the daytime.")
    translation(entry("taxes"), "en", "tax price", "It depends.")
    made = Keeper(tmp_path / "index", KeywordEmbedder(), 0.01)
    monkeypatch.setattr(made, "_watch", lambda: None)
    made.start()
    monkeypatch.setattr(made, "start", lambda: None)
    return made


def ask(keeper: Keeper, text: str = "boat price") -> dict[str, Any]:
    with TestClient(service.build_app(keeper)) as client:
        return client.post("/search", json={"text": text, "language": "en"}).json()


# --- withdrawn, expired, internal: never answered again ------------------------------------------------------------
CHANGES: dict[str, dict[str, Any]] = {
    "withdrawn": {"live": False},
    "expired": {"valid_until": dt.date(2020, 1, 1)},
    "not yet valid": {"valid_from": dt.date(2099, 1, 1)},
    "internal": {"sensitivity": Sensitivity.INTERNAL},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_with_an_old_index_nothing_is_answered_that_may_not_be(keeper: Keeper, change: dict[str, Any]):
    boats = Entry.objects.get(slug="boats")
    for name, value in change.items():
        setattr(boats, name, value)
    boats.save()
    found = ask(keeper)  # the index is of the revision before
    assert (found["outcome"], found["entry"]) == ("answered", "boats")
    assert found["revision"] < KnowledgeState.current()
    assert load_answer(found["entry"], "en") is None
    offered = load_questions([near["entry"] for near in found["near"]], "en")
    assert offered
    assert "boats" not in dict(offered)


def test_with_an_old_index_a_withdrawn_text_is_neither_answered_nor_a_button(keeper: Keeper):
    Translation.objects.filter(entry__slug="boats").first().delete()
    found = ask(keeper)
    assert found["entry"] == "boats"
    assert load_answer("boats", "en") is None
    assert "boats" not in dict(load_questions([near["entry"] for near in found["near"]], "en"))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_once_the_change_is_noticed_it_is_not_even_found(keeper: Keeper, change: dict[str, Any]):
    boats = Entry.objects.get(slug="boats")
    for name, value in change.items():
        setattr(boats, name, value)
    boats.save()
    assert keeper.refresh()
    assert "boats" not in [near["entry"] for near in ask(keeper)["near"]]


def test_an_entry_ends_with_its_last_day_without_anybody_publishing(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    Entry.objects.filter(slug="boats").update(valid_until=TODAY)
    KnowledgeState.advance()
    keeper.refresh()
    served = keeper.searcher
    monkeypatch.setattr(service.timezone, "localdate", lambda: TODAY)
    assert ask(keeper)["entry"] == "boats"
    monkeypatch.setattr(service.timezone, "localdate", lambda: TODAY + dt.timedelta(days=1))
    assert "boats" not in [near["entry"] for near in ask(keeper)["near"]]
    assert keeper.searcher is served


# --- published: served first, written then -------------------------------------------------------------------------
def test_a_change_is_served_before_it_is_written(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    served: list[int] = []
    write = snapshot.write

    def looking(folder: Path, made: snapshot.Snapshot) -> Path:
        served.append(keeper.searcher.snapshot.revision)
        return write(folder, made)

    monkeypatch.setattr(snapshot, "write", looking)
    translation(entry("noodles"), "en", "noodle soup", "Eat it.")
    assert keeper.refresh()
    assert served == []  # something newer may be waiting
    assert not keeper.refresh()
    assert served == [KnowledgeState.current()] == [snapshot.current_revision(keeper.folder)]


def test_a_full_disk_keeps_nobody_from_the_answer_and_is_tried_again(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    before = snapshot.current_revision(keeper.folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as at_first:
        at_first.setattr(np, "save", full)
        at_first.setattr(keepers, "WRITE_AGAIN", 0.0)
        translation(entry("noodles"), "en", "noodle soup", "Eat it.")
        assert keeper.refresh()
        assert not keeper.refresh()
    assert ask(keeper, "noodle soup")["entry"] == "noodles"
    assert snapshot.current_revision(keeper.folder) == before
    assert "cannot be written" in caplog.text
    assert "No space left on device" in caplog.text
    assert not keeper.refresh()
    assert snapshot.current_revision(keeper.folder) == KnowledgeState.current()


def test_what_no_search_reads_is_not_indexed_again(keeper: Keeper):
    served = keeper.searcher
    Source.objects.filter(entry__slug="boats").first().save()
    assert keeper.refresh()
    assert keeper.searcher._ranking is served._ranking
    assert keeper.searcher.snapshot.revision == KnowledgeState.current() > served.snapshot.revision
    assert not keeper.refresh()
    assert snapshot.current_revision(keeper.folder) == KnowledgeState.current()


def test_what_was_published_during_a_build_is_looked_for_at_once(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    found = iter([True, False, True])
    patient = Keeper(keeper.folder, KeywordEmbedder(), 7.0)
    monkeypatch.setattr(patient, "refresh", lambda: next(found))
    monkeypatch.setattr(patient._stop, "wait", lambda seconds: waits.append(seconds) or len(waits) > 3)
    patient._watch()
    assert waits == [7.0, 0, 7.0, 0]


def test_after_a_restart_an_old_snapshot_is_brought_up_to_date(keeper: Keeper):
    translation(entry("noodles"), "en", "noodle soup", "Eat it.")
    embedder = KeywordEmbedder()
    again = Keeper(keeper.folder, embedder, 1)
    again._watch = lambda: None
    again.start()
    assert embedder.encoded == ["noodle soup", "Eat it."]
    assert ask_of(again, "noodle soup") == "noodles"


def ask_of(keeper: Keeper, text: str) -> str | None:
    entry = keeper.searcher.search(text, "en", TODAY).entry
    return entry.entry if entry else None


# --- snapshots: killed, cut, changed, on a full disk ---------------------------------------------------------------
STAGES = (*snapshot.ARRAYS, "passages", "manifest", "rename", "switch", "pointer")
DIE_AT = """
import json, os, resource, signal, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "desk.settings"
import django; django.setup()
import numpy as np
from pathlib import Path
from knowledge import snapshot
from tests.knowledge.test_snapshot import built

folder, stages, limits = Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def prepare(stage):
    saved, save = [], np.save
    def saving(file, array):
        saved.append(1)
        if len(saved) == stages.index(stage) + 1:
            file.write(b"half")
            file.flush()
            die()
        save(file, array)
    if stage in snapshot.ARRAYS:
        np.save = saving
    elif stage == "passages":
        snapshot.json.dumps = die
    elif stage == "manifest":
        snapshot._sha256 = die
    elif stage == "rename":
        snapshot.Path.rename = die
    elif stage == "switch":
        snapshot._switch = die
    else:
        snapshot.Path.replace = die


def child(act):
    pid = os.fork()
    if not pid:
        try:
            act()
            built(folder, "noodle", "noodle soup " * 100, revision=2)
            os._exit(0)
        except OSError:
            os._exit(3)
        except BaseException:
            os._exit(4)
    status = os.waitpid(pid, 0)[1]
    embedder = snapshot.load_current(folder, "keywords@test")
    building = [each.name for each in folder.iterdir() if each.name.startswith(".building")]
    return os.waitstatus_to_exitcode(status), embedder.revision, len(building)


killed = {stage: child(lambda: prepare(stage)) for stage in stages}
for left in folder.glob(".building*"):
    snapshot.shutil.rmtree(left)
full = {limit: child(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) for limit in limits}
print(json.dumps([killed, full]))
"""


@pytest.fixture(scope="module")
def died(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[int]], dict[str, list[int]], Path]:
    """What became of builds that were killed at each stage, and of those that a file size limit stopped."""
    folder = tmp_path_factory.mktemp("index")
    built(folder, "boat price", revision=1)
    sizes = {each.stat().st_size for each in built(folder / "other", "noodle", "noodle soup " * 100).iterdir()}
    limits = [0, *(size - 1 for size in sorted(sizes))]
    done = subprocess.run(
        [sys.executable, "-c", DIE_AT, str(folder), json.dumps(STAGES), json.dumps(limits)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return *json.loads(done.stdout.splitlines()[-1]), folder


@pytest.mark.parametrize("stage", STAGES)
def test_a_build_killed_at_any_stage_leaves_the_old_snapshot_whole(died, stage: str):
    code, revision, _ = died[0][stage]
    assert (code, revision) == (-signal.SIGKILL, 1)


def test_a_disk_full_at_any_file_leaves_the_old_snapshot_and_nothing_half_built(died):
    _, full, _ = died
    assert len(full) > len(snapshot.ARRAYS)
    for code, revision, building in full.values():
        assert (code, revision, building) == (3, 1, 0)


def test_what_a_killed_build_left_is_removed_when_it_is_old(tmp_path: Path):
    left, working = tmp_path / ".building-old", tmp_path / ".building-new"
    for each in (left, working):
        each.mkdir()
    os.utime(left, (0, 0))
    built(tmp_path, "noodle")
    assert not left.exists()
    assert working.exists()


def test_after_all_that_the_next_build_succeeds(died):
    folder = died[2]
    built(folder, "noodle", revision=2)
    assert snapshot.load_current(folder, KeywordEmbedder.name).revision == 2


@pytest.mark.parametrize("name", snapshot.FILES)
@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "empty"])
def test_no_damaged_file_is_ever_searched(tmp_path: Path, name: str, damage: str):
    file = built(tmp_path, "boat price", "pagoda open") / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        damaged = {"cut": content[:-1], "changed": content[:-1] + bytes([content[-1] ^ 1]), "empty": b""}
        file.write_bytes(damaged[damage])
    with pytest.raises(SnapshotError, match=rf"{name} (is damaged|cannot be read).*manage.py build_index"):
        snapshot.load_current(tmp_path, KeywordEmbedder.name)


@pytest.mark.parametrize(("field", "value", "message"), [
    ("geometry", "0" * 12, "before the search was calibrated anew"), ("model", "other", "built with 'other'"),
    ("passages", 9, "holds 2 passages"),
])
def test_a_manifest_of_something_else_is_refused(tmp_path: Path, field: str, value: object, message: str):
    file = built(tmp_path, "boat price", "pagoda open") / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), field: value}))
    with pytest.raises(SnapshotError, match=message):
        snapshot.load_current(tmp_path, KeywordEmbedder.name)


# --- check_index ---------------------------------------------------------------------------------------------------
@pytest.fixture
def check(keeper: Keeper, monkeypatch: pytest.MonkeyPatch, settings, capsys: pytest.CaptureFixture[str]):
    settings.INDEX_DIR = keeper.folder
    monkeypatch.setattr(check_index, "SentenceTransformerEmbedder", lambda _: KeywordEmbedder())

    def run() -> tuple[int, str]:
        try:
            call_command("check_index")
        except SystemExit as end:
            return end.code, capsys.readouterr().out
        return 0, capsys.readouterr().out

    return run


def test_the_check_agrees_after_a_build(check):
    code, said = check()
    assert (code, "6 passages, 0 difference(s)" in said) == (0, True)


def test_the_check_names_what_differs_from_the_database(check):
    Translation.objects.filter(entry__slug="boats").update(answer="Ask aboard.")
    Translation.objects.filter(entry__slug="hours").update(live=False)
    translation(entry("noodles"), "en", "noodle soup", "Eat it.")
    code, said = check()
    assert code == 1
    assert "different text: boats/en/answer/1" in said
    assert "no longer published: hours/en/question/0" in said
    assert "not indexed: noodles/en/question/0" in said


def test_the_check_finds_vectors_of_other_texts(check, keeper: Keeper):
    was = keeper.searcher.snapshot
    turned = snapshot.Snapshot(
        was.revision, was.model, was.passages, was.vectors[::-1].copy(), was.tokens, PLAIN.digest
    )
    snapshot.write(keeper.folder, turned)
    code, said = check()
    assert code == 1
    assert "vector of another text: boats/en/question/0" in said


def test_the_check_refuses_a_damaged_index(check, keeper: Keeper):
    name = (keeper.folder / "CURRENT").read_text()
    (keeper.folder / name / "token_ids.npy").write_bytes(b"")
    with pytest.raises(CommandError, match=r"token_ids.npy is damaged"):
        check()
