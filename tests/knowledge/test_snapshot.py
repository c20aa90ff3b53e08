from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge import snapshot
from knowledge.errors import SnapshotError
from knowledge.geometry import Geometry
from knowledge.passages import Passage
from tests.knowledge.keyword_embedder import KeywordEmbedder

ROOT = Path(__file__).resolve().parents[2]


def passages(*texts: str) -> list[Passage]:
    return [Passage(f"e{n}/vi/question/0", f"e{n}", "vi", "question", text, text) for n, text in enumerate(texts)]


def built(folder: Path, *texts: str, revision: int = 1) -> Path:
    embedder = KeywordEmbedder()
    rows = passages(*texts)
    return snapshot.write(
        folder, snapshot.Snapshot(revision, embedder.name, tuple(rows), *snapshot.encode(rows, embedder, None))
    )


def test_a_snapshot_is_read_back_as_it_was_written(tmp_path: Path):
    built(tmp_path, "boat price", "pagoda open", revision=7)
    loaded = snapshot.load_current(tmp_path, KeywordEmbedder.name)
    assert (loaded.revision, [p.text for p in loaded.passages]) == (7, ["boat price", "pagoda open"])
    assert np.allclose(np.linalg.norm(loaded.vectors, axis=1), 1)
    assert snapshot.current_revision(tmp_path) == 7


def test_there_is_no_snapshot_before_the_first(tmp_path: Path):
    assert snapshot.load_current(tmp_path / "none", "m") is None
    assert snapshot.current_revision(tmp_path) is None


def test_only_changed_passages_are_encoded_again(tmp_path: Path):
    built(tmp_path, "boat price", "pagoda open")
    known = snapshot.load_current(tmp_path, KeywordEmbedder.name)
    embedder = KeywordEmbedder()
    vectors, tokens = snapshot.encode(passages("pagoda open", "noodle"), embedder, known)
    assert embedder.encoded == ["noodle"]
    assert np.array_equal(vectors[0], known.vectors[1])
    assert np.array_equal(tokens.text(0, tokens.starts)[0], known.tokens.text(1, known.tokens.starts)[0])


def test_a_new_calibration_encodes_and_builds_everything_again(tmp_path: Path):
    built(tmp_path, "boat price")
    known = snapshot.load_current(tmp_path, KeywordEmbedder.name)
    geometry = Geometry(tokens=np.eye(KeywordEmbedder.dimension, 3, dtype=np.float32))
    embedder = KeywordEmbedder()
    _, tokens = snapshot.encode(passages("boat price"), embedder, known, geometry)
    assert embedder.encoded == ["boat price"]
    assert tokens.vectors.shape == (2, 3)
    with pytest.raises(SnapshotError, match=r"before the search was calibrated anew.*manage.py build_index"):
        snapshot.load_current(tmp_path, KeywordEmbedder.name, geometry.digest)


@pytest.mark.parametrize(("file", "message"), [
    ("vectors.npy", "vectors.npy is damaged"), ("token_vectors.npy", "token_vectors.npy is damaged"),
    ("token_counts.npy", "token_counts.npy is damaged"), ("passages.jsonl", "passages.jsonl is damaged"),
    ("manifest.json", "manifest.json cannot be read"),
])
def test_a_truncated_file_is_refused_by_name_with_the_remedy(tmp_path: Path, file: str, message: str):
    target = built(tmp_path, "boat price") / file
    target.write_bytes(target.read_bytes()[:-5])
    with pytest.raises(SnapshotError, match=message) as problem:
        snapshot.load_current(tmp_path, KeywordEmbedder.name)
    assert "manage.py build_index" in str(problem.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path):
    (built(tmp_path, "boat price") / "vectors.npy").unlink()
    with pytest.raises(SnapshotError, match="vectors.npy cannot be read"):
        snapshot.load_current(tmp_path, KeywordEmbedder.name)


def test_another_models_snapshot_is_refused(tmp_path: Path):
    built(tmp_path, "boat price")
    with pytest.raises(SnapshotError, match=r"built with 'keywords@test', but the model is 'other'"):
        snapshot.load_current(tmp_path, "other")


def test_a_full_disk_leaves_the_old_snapshot_and_nothing_half_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    built(tmp_path, "boat price", revision=1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        built(tmp_path, "noodle", revision=2)
    monkeypatch.undo()
    assert snapshot.load_current(tmp_path, KeywordEmbedder.name).revision == 1
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".building")] == []


def test_a_kill_while_building_leaves_the_old_snapshot(tmp_path: Path):
    built(tmp_path, "boat price", revision=1)
    code = (
        "import os, signal, sys; sys.path.insert(0, '.');"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'desk.settings'; import django; django.setup();"
        "from pathlib import Path; from knowledge import snapshot; from tests.knowledge.test_snapshot import built;"
        "snapshot._switch = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        f"built(Path({str(tmp_path)!r}), 'noodle', revision=2)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ}, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert snapshot.load_current(tmp_path, KeywordEmbedder.name).revision == 1


def test_old_snapshots_are_pruned_and_the_current_one_never(tmp_path: Path):
    for revision in range(1, 7):
        built(tmp_path, f"noodle {revision}", revision=revision)
    folders = sorted(each.name for each in tmp_path.iterdir() if each.is_dir())
    assert len(folders) == snapshot.KEPT
    assert (tmp_path / "CURRENT").read_text() == folders[-1]


def test_a_manifest_of_another_format_is_refused(tmp_path: Path):
    file = built(tmp_path, "boat price") / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(SnapshotError, match="has format 99"):
        snapshot.load_current(tmp_path, KeywordEmbedder.name)
