"""One behaviour, whichever index serves: every test of the first half runs on all of them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest

from knowledge import vectors as package
from knowledge.errors import SnapshotError, VectorServerError
from knowledge.vectors import EXACT_UP_TO, VectorIndex, build, load, open_index, save
from knowledge.vectors.base import best_first, chosen
from knowledge.vectors.faiss_index import FlatIndex, IvfIndex, lists_for, probes_for, threads
from knowledge.vectors.files import ABOUT, INDEX

DIMENSION = 24
KINDS = ("flat", "ivf", "milvus", "milvus-ivf")
Make = Callable[[np.ndarray], VectorIndex]


def units(count: int, seed: int = 1, dimension: int = DIMENSION) -> np.ndarray:
    """Unit vectors around some centres, as texts lie around their subjects."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((8, dimension))
    rows = centres[random.integers(0, 8, count)] + 0.7 * random.standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def exact(rows: np.ndarray, query: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """What a search should find."""
    return best_first(np.arange(len(rows)), rows @ query, count)


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus Lite file."""
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install -e '.[milvus]'")
    manager = pytest.importorskip(
        "milvus_lite.server_manager", reason="milvus-lite is not installed: pip install -e '.[test]'"
    )
    file = str(tmp_path_factory.mktemp("milvus") / "lite.db")
    yield file
    manager.server_manager_instance.release_server(file)


@pytest.fixture(scope="module")
def built() -> Iterator[dict[tuple[str, bytes], VectorIndex]]:
    """The indexes built so far: they are never changed, and a collection takes a second to make."""
    indexes: dict[tuple[str, bytes], VectorIndex] = {}
    yield indexes
    for index in indexes.values():
        if hasattr(index, "close"):
            index.close()


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, built: dict[tuple[str, bytes], VectorIndex]) -> Make:
    """Build an index of one kind."""

    def made(rows: np.ndarray) -> VectorIndex:
        if not request.param.startswith("milvus"):
            return build(rows, kind=request.param)
        from knowledge.vectors.milvus_index import MilvusIndex

        key = request.param, rows.tobytes()
        if key not in built:
            kind = "ivf" if request.param.endswith("ivf") else "flat"
            address = request.getfixturevalue("lite")
            built[key] = MilvusIndex.publish(address, f"conformance_{len(built)}", rows, kind=kind)
        return built[key]

    if request.param.startswith("milvus"):
        request.getfixturevalue("lite")  # skips with the reason where it is not installed
    return made


def test_the_nearest_come_first_with_their_exact_cosines(make: Make):
    rows = units(700)
    index = make(rows)
    assert len(index) == 700
    for query in units(20, seed=2):
        found, cosines = index.search(query, 10)
        wanted, best = exact(rows, query, 10)
        assert found.tolist() == wanted.tolist()
        assert np.allclose(cosines, best, atol=1e-5)
        assert (found.dtype, cosines.dtype) == (np.int64, np.float32)


def test_a_vector_finds_itself(make: Make):
    rows = units(700)
    index = make(rows)
    for row in (0, 3, 699):
        found, cosines = index.search(rows[row], 1)
        assert found.tolist() == [row]
        assert cosines[0] == pytest.approx(1, abs=1e-5)


def test_fewer_are_found_where_there_are_fewer(make: Make):
    rows = units(30)
    found, cosines = make(rows).search(units(1, seed=3)[0], 100)
    assert sorted(found.tolist()) == list(range(30))
    assert (np.diff(cosines) <= 1e-6).all()


def test_equal_vectors_come_in_the_order_of_their_rows(make: Make):
    rows = np.repeat(units(1), 5, axis=0)
    found, cosines = make(rows).search(rows[0], 5)
    assert found.tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(cosines, 1, atol=1e-5)


def test_all_can_be_asked_for(make: Make):
    rows = units(700)
    found, _ = make(rows).search(rows[5], 700)
    assert sorted(found.tolist()) == list(range(700))


@pytest.mark.parametrize(("query", "count", "message"), [
    (np.zeros(DIMENSION + 1, np.float32), 5, r"shape \(24,\).*Currently, the shape is \(25,\)"),
    (np.zeros((1, DIMENSION), np.float32), 5, r"Currently, the shape is \(1, 24\)"),
    (np.full(DIMENSION, np.nan, np.float32), 5, "NaN or infinity"),
    (np.ones(DIMENSION, np.float32), 0, "count is 0"),
    (np.ones(DIMENSION, np.float32), -3, "count is -3"),
])
def test_a_query_not_in_form_is_refused_with_what_was_wrong(make: Make, query: np.ndarray, count: int, message: str):
    with pytest.raises(ValueError, match=message):
        make(units(30)).search(query, count)


def test_threads_that_search_at_once_find_what_one_finds(make: Make):
    rows = units(700)
    index, queries = make(rows), units(12, seed=4)
    wanted = [index.search(query, 5)[0].tolist() for query in queries]
    found: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        found[number] = index.search(queries[number], 5)[0].tolist()

    running = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert [found[number] for number in range(12)] == wanted


@pytest.mark.parametrize("kind", ["flat", "milvus"])
def test_an_empty_index_finds_nothing(kind: str, request: pytest.FixtureRequest):
    rows = np.zeros((0, DIMENSION), np.float32)
    if kind == "milvus":
        from knowledge.vectors.milvus_index import MilvusIndex

        index: VectorIndex = MilvusIndex.publish(request.getfixturevalue("lite"), "empty", rows)
    else:
        index = build(rows)
    assert len(index) == 0
    assert [len(each) for each in index.search(units(1)[0], 5)] == [0, 0]
    with pytest.raises(ValueError, match="the shape"):
        index.search(np.zeros(3, np.float32), 5)


def test_the_kind_is_chosen_by_size():
    assert [chosen("auto", count) for count in (0, EXACT_UP_TO, EXACT_UP_TO + 1)] == ["flat", "flat", "ivf"]
    assert isinstance(build(units(50)), FlatIndex)
    assert isinstance(build(units(50), kind="ivf"), IvfIndex)
    with pytest.raises(ValueError, match="one of auto, flat, ivf. Currently, kind is 'hnsw'"):
        build(units(5), kind="hnsw")


def test_more_than_the_exact_search_takes_are_quantised_unasked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(package.base, "EXACT_UP_TO", 100)
    assert isinstance(build(units(100)), FlatIndex)
    assert isinstance(build(units(101)), IvfIndex)


@pytest.mark.parametrize(("rows", "message"), [
    (np.zeros((3, 4), np.float32), "row 0 has length 0"),
    (np.array([[1, 0], [np.nan, 0]], np.float32), "row 1 has length nan"),
    (np.ones((2, 2), np.float64), "float64"),
    (np.ones(4, np.float32), r"the shape is \(4,\)"),
])
@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_vectors_not_in_form_are_refused(kind: str, rows: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        build(rows, kind=kind)


def test_the_lists_grow_with_the_vectors_and_the_time_does_not():
    assert [lists_for(count) for count in (1, 1000, 100_000, 1_000_000, 4_000_000)] == [1, 128, 1024, 4096, 8192]
    read = [count * probes_for(lists_for(count), count) / lists_for(count) for count in (200_000, 1_000_000, 4_000_000)]
    assert all(64_000 <= each <= 65_000 for each in read)


def test_where_not_all_lists_are_read_nearly_all_neighbours_are_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(package.faiss_index, "READ", 4000)
    rows, queries = units(20_000), units(100, seed=5)
    index = build(rows, kind="ivf")
    hits = [set(index.search(query, 10)[0]) & set(exact(rows, query, 10)[0]) for query in queries]
    assert 0.9 <= np.mean([len(each) / 10 for each in hits]) < 1
    # Whoever asks for more than those lists hold still gets as many.
    assert len(index.search(queries[0], 15_000)[0]) == 15_000


def test_equal_vectors_give_equal_indexes(tmp_path: Path):
    contents = []
    for name in "ab":
        (tmp_path / name).mkdir()
        save(build(units(3000), kind="ivf"), tmp_path / name)
        contents.append((tmp_path / name / INDEX).read_bytes())
    assert contents[0] == contents[1]


def test_a_search_uses_one_thread_and_leaves_the_callers_number_alone():
    with threads(2):
        build(units(50)).search(units(1)[0], 5)
        assert faiss.omp_get_max_threads() == 2
        with threads(1):
            assert faiss.omp_get_max_threads() == 1
        assert faiss.omp_get_max_threads() == 2


def test_a_saved_index_is_loaded_and_finds_the_same(tmp_path: Path):
    rows = units(3000)
    np.save(tmp_path / "vectors.npy", rows)
    index = build(rows, kind="ivf")
    assert save(index, tmp_path) == [INDEX, ABOUT]
    # Memory-mapped: a search reads a few rows, not the file.
    loaded = open_index(np.load(tmp_path / "vectors.npy", mmap_mode="r"), tmp_path)
    assert isinstance(loaded, IvfIndex)
    for query in units(10, seed=6):
        assert [each.tolist() for each in loaded.search(query, 7)] == [each.tolist() for each in index.search(query, 7)]


def test_an_exact_index_needs_no_files(tmp_path: Path):
    rows = units(40)
    assert save(build(rows), tmp_path) == []
    assert list(tmp_path.iterdir()) == []
    assert isinstance(load(rows, tmp_path), FlatIndex)
    assert isinstance(open_index(rows), FlatIndex)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[np.ndarray, Path]:
    rows = units(2000)
    save(build(rows, kind="ivf"), tmp_path)
    return rows, tmp_path


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x40
    file.write_bytes(content)


@pytest.mark.parametrize(("harm", "message"), [
    (lambda folder: (folder / INDEX).write_bytes((folder / INDEX).read_bytes()[:-9]), "vectors.ivf is damaged"),
    (lambda folder: flip(folder / INDEX), "vectors.ivf is damaged"),
    (lambda folder: (folder / INDEX).unlink(), "vectors.ivf cannot be read"),
    (lambda folder: (folder / ABOUT).unlink(), "vectors.ivf.json cannot be read"),
    (lambda folder: (folder / ABOUT).write_text("{"), "vectors.ivf.json cannot be read"),
    (lambda folder: (folder / ABOUT).write_text("[1]"), "does not describe an index"),
    (lambda folder: rewrite(folder, format=9), "has format 9, this program reads 1"),
    (lambda folder: rewrite(folder, count=1999), "made of other vectors"),
])
def test_a_damaged_index_is_refused_by_name_with_the_remedy(
    saved: tuple[np.ndarray, Path], harm: Callable[[Path], None], message: str
):
    rows, folder = saved
    harm(folder)
    with pytest.raises(SnapshotError, match=message) as problem:
        load(rows, folder)
    assert "manage.py build_index" in str(problem.value)


def rewrite(folder: Path, **changes: object) -> None:
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | changes))


def test_a_file_that_is_no_ivf_index_is_refused_though_its_checksum_is_right(saved: tuple[np.ndarray, Path]):
    import hashlib

    rows, folder = saved
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(rows)
    for content in (b"not an index at all", faiss.serialize_index(flat).tobytes()):
        (folder / INDEX).write_bytes(content)
        rewrite(folder, sha256=hashlib.sha256(content).hexdigest())
        with pytest.raises(SnapshotError, match="no index that this FAISS reads"):
            load(rows, folder)


def test_an_index_of_other_vectors_is_refused(saved: tuple[np.ndarray, Path]):
    _, folder = saved
    with pytest.raises(SnapshotError, match="made of other vectors"):
        load(units(2000, seed=9), folder)
    with pytest.raises(SnapshotError, match="made of other vectors"):
        load(units(2000, dimension=DIMENSION + 1), folder)


def test_the_bench_measures_what_it_says(tmp_path: Path):
    from tests.bench import scale

    crowd = scale.Crowd(tmp_path / "crowd.npy", 3000, units(100), units(40, seed=2))
    assert np.allclose(np.linalg.norm(crowd.vectors, axis=1), 1, atol=1e-5)
    row = scale.measure_size(crowd, "ivf")
    assert (row["index"], row["passages"], row["recall_at_10"]) == ("ivf-sq8", 3000, 1)
    assert row["file_mib"] * 2**20 <= 3000 * (DIMENSION + 8) * 2
    # Neighbours are not the copies of one text.
    assert row["texts_in_10"] > 2


# Milvus alone


def snapshot_name(revision: int) -> str:
    return f"{revision:010d}-5b6bae252cf7"


def test_a_snapshot_is_published_to_milvus_once_and_opened_again(lite: str, tmp_path: Path):
    from knowledge.vectors.milvus_index import MilvusIndex, collection_name

    rows = units(300)
    folder = tmp_path / snapshot_name(7)
    first = open_index(rows, folder, milvus=lite)
    again = MilvusIndex(lite, collection_name(folder.name))  # without vectors: the server's own cosines
    query = units(1, seed=8)[0]
    assert again.search(query, 5)[0].tolist() == first.search(query, 5)[0].tolist() == exact(rows, query, 5)[0].tolist()
    assert np.allclose(again.search(query, 5)[1], exact(rows, query, 5)[1], atol=1e-5)


def test_a_collection_left_half_filled_is_completed(lite: str, monkeypatch: pytest.MonkeyPatch):
    from knowledge.vectors import milvus_index
    from knowledge.vectors.milvus_index import MilvusIndex

    rows = units(2500)
    fill = milvus_index._fill

    class Killed(Exception):
        pass

    def killed(client: object, name: str, vectors: np.ndarray) -> None:
        fill(client, name, vectors[:1000])  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(milvus_index, "_fill", killed)
    with pytest.raises(Killed):
        MilvusIndex.publish(lite, "half", rows)
    monkeypatch.undo()
    with pytest.raises(VectorServerError, match="holds 1000 × 24, but the snapshot 2500 × 24"):
        MilvusIndex(lite, "half", vectors=rows)
    assert len(MilvusIndex.publish(lite, "half", rows)) == 2500


def test_a_collection_of_other_vectors_is_made_anew(lite: str):
    from knowledge.vectors.milvus_index import MilvusIndex

    MilvusIndex.publish(lite, "reused", units(50)).close()
    rows = units(50, seed=2)
    assert MilvusIndex.publish(lite, "reused", rows).search(rows[3], 1)[0].tolist() == [3]


def test_collections_long_replaced_are_dropped_and_nobody_elses(lite: str):
    from pymilvus import MilvusClient

    from knowledge.vectors.milvus_index import MilvusIndex, collection_name

    names = [collection_name(snapshot_name(revision)) for revision in (101, 102, 103, 104)]
    MilvusIndex.publish(lite, "citydesk_somebody_elses", units(5)).close()
    MilvusIndex.publish(lite, names[3], units(5)).close()  # another service is ahead
    for name in names[:3]:
        MilvusIndex.publish(lite, name, units(5)).close()
    client = MilvusClient(lite)
    there = set(client.list_collections())
    client.close()
    assert there & {*names, "citydesk_somebody_elses"} == {*names[1:], "citydesk_somebody_elses"}


def test_a_missing_collection_and_a_wrong_name_say_so(lite: str, tmp_path: Path):
    from knowledge.vectors.milvus_index import MilvusIndex

    with pytest.raises(VectorServerError, match="has no collection nowhere"):
        MilvusIndex(lite, "nowhere")
    with pytest.raises(ValueError, match="named REVISION-DIGEST"):
        open_index(units(5), tmp_path / "drop table", milvus=lite)
    with pytest.raises(ValueError, match="there is no folder"):
        open_index(units(5), milvus=lite)


def test_more_hits_than_milvus_gives_at_once_are_refused(lite: str, monkeypatch: pytest.MonkeyPatch):
    from knowledge.vectors import milvus_index

    monkeypatch.setattr(milvus_index, "MOST", 20)
    index = milvus_index.MilvusIndex.publish(lite, "many", units(30))
    assert len(index.search(units(1)[0], 20)[0]) == 20
    with pytest.raises(ValueError, match="at most 20 with Milvus. Currently, count is 25"):
        index.search(units(1)[0], 25)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_goes_away_is_an_error_within_seconds(lite: str, tmp_path: Path):
    """Milvus Lite behind a port of its own: what a service sees of a server, over the network."""
    from knowledge.vectors.milvus_index import MilvusIndex

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(tmp_path / "data"), "--port", str(port)]
    command += ["--host", "127.0.0.1"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        rows, until = units(60), time.monotonic() + 30
        while True:
            try:
                index = MilvusIndex.publish(address, "served", rows, seconds=2)
                break
            except VectorServerError:
                assert server.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.2)
        assert index.search(rows[7], 1)[0].tolist() == [7]
    finally:
        server.kill()
        server.wait()
    started = time.monotonic()
    with pytest.raises(VectorServerError, match=re.escape(f"Milvus at {address} failed while searching served")):
        index.search(rows[7], 1)
    with pytest.raises(VectorServerError, match=re.escape(f"Milvus at {address} failed while")):
        MilvusIndex(address, "served", seconds=2)
    assert time.monotonic() - started < 60


def test_a_password_in_the_address_is_not_shown():
    pytest.importorskip("pymilvus")
    from knowledge.vectors.milvus_index import MilvusIndex

    with pytest.raises(VectorServerError) as problem:
        MilvusIndex(f"http://desk:geheim@127.0.0.1:{free_port()}/city", "any", seconds=1)
    assert "geheim" not in str(problem.value)
    assert "http://127.0.0.1:" in str(problem.value)


def test_without_its_client_milvus_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    from knowledge.vectors.milvus_index import MilvusIndex

    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(VectorServerError, match=re.escape(".[milvus]")):
        MilvusIndex("http://127.0.0.1:1", "any")
