from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nlu.sentence_encoder import SentenceEncoder, SentenceEncoderError, onnxruntime

ROOT = Path(__file__).resolve().parents[2]
RASA_PYTHON = ROOT / ".venv" / "rasa" / "bin" / "python"
TEXTS = (
    "Chùa Vĩnh Tràng mở cửa lúc mấy giờ?",
    "gia ve bao nhieu",
    "What time does the pagoda open?",
    "永长寺几点开门？",
    "빈짱 사원은 언제 문을 여나요?",
    "営業時間は8:00～17:00ですか？",
    "À quelle heure ouvre la pagode ?",
    "Во сколько открывается пагода?",
    "",
    "Chùa Vĩnh Tràng nằm bên bờ kênh Bảo Định. " * 5,
)


@pytest.fixture(scope="module")
def encoder(model_folder: Path) -> SentenceEncoder:
    return SentenceEncoder(model_folder)


def test_vectors_are_unit_float32_in_the_order_of_the_texts(encoder: SentenceEncoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one_by_one = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert (vectors @ one_by_one.T).argmax(axis=1).tolist() == list(range(len(TEXTS)))


def test_no_texts_give_no_vectors(encoder: SentenceEncoder):
    assert encoder.encode([]).shape == (0, 384)


def test_a_longer_text_than_the_model_takes_is_cut(encoder: SentenceEncoder):
    (vector,) = encoder.encode(["word " * 2000])
    assert np.isfinite(vector).all()


def test_the_prefix_matters(encoder: SentenceEncoder):
    query, passage = encoder.encode(TEXTS[:1]), encoder.encode(TEXTS[:1], prefix="passage: ")
    assert not np.allclose(query, passage, atol=1e-3)


def test_both_encoders_agree(encoder: SentenceEncoder, model_folder: Path):
    from knowledge.embedder import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(str(model_folder))
    assert encoder.name == embedder.name
    for text in TEXTS:
        assert encoder.encode([text])[0] @ embedder.embed_query(text) > 0.999
        passage = encoder.encode([text], prefix="passage: ")[0]
        assert passage @ embedder.embed_passages([text])[0] > 0.999


def test_fifty_threads_get_what_one_gets(encoder: SentenceEncoder):
    questions = [f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(50)]
    expected = [encoder.encode([question]) for question in questions]
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda question: encoder.encode([question]), questions))
    np.testing.assert_array_equal(found, expected)


def test_a_missing_folder_names_the_command_that_builds_it(tmp_path: Path):
    with pytest.raises(SentenceEncoderError, match=r"No complete embedding model at .*none .*make model"):
        SentenceEncoder(tmp_path / "none")


def test_an_incomplete_folder_is_refused(model_folder: Path, tmp_path: Path):
    manifest = json.loads((model_folder / "citydesk_model.json").read_text(encoding="utf-8"))
    manifest["files"] = {"config.json": 578}
    (tmp_path / "citydesk_model.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(SentenceEncoderError, match=r"incomplete: config\.json of another size.*make model"):
        SentenceEncoder(tmp_path)


def test_a_folder_that_cannot_be_loaded_is_refused(model_folder: Path, tmp_path: Path):
    manifest = json.loads((model_folder / "citydesk_model.json").read_text(encoding="utf-8"))
    manifest["files"] = {}
    (tmp_path / "citydesk_model.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(SentenceEncoderError, match=r"cannot be loaded .*make model"):
        SentenceEncoder(tmp_path)


def run(python: Path | str, model_folder: Path) -> tuple[np.ndarray, list[str], str]:
    """Encode `TEXTS` in a fresh interpreter; return vectors, heavy imports, onnxruntime's version."""
    code = (
        "import json, sys; from nlu.sentence_encoder import SentenceEncoder\n"
        "vectors = SentenceEncoder(sys.argv[1]).encode(json.loads(sys.stdin.read()))\n"
        "heavy = [name for name in ('rasa', 'torch', 'transformers', 'tensorflow') if name in sys.modules]\n"
        "print(json.dumps([vectors.tolist(), heavy, sys.modules['onnxruntime'].__version__]))"
    )
    done = subprocess.run(
        [str(python), "-c", code, str(model_folder)],
        cwd=ROOT,
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    vectors, heavy, version = json.loads(done.stdout)
    return np.array(vectors, np.float32), heavy, version


@pytest.mark.parametrize("module", ["knowledge.embedder", "knowledge.model.build", "nlu.sentence_encoder"])
def test_onnxruntime_is_told_not_to_report_its_use(module: str):
    """It reads the variable when it is imported, so nothing of ours may import it before setting that."""
    code = (
        "import os, sys\n"
        "def audit(event, arguments):\n"
        "    if event == 'import' and arguments[0] == 'onnxruntime':\n"
        "        assert os.environ.get('ORT_DISABLE_TELEMETRY') == '1', 'imported too early'\n"
        f"sys.addaudithook(audit); import {module}; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    )
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_needs_no_heavy_library(model_folder: Path):
    assert run(sys.executable, model_folder)[1] == []


@pytest.mark.rasa
@pytest.mark.skipif(not RASA_PYTHON.exists(), reason="no dialogue environment (.venv/rasa)")
def test_it_gives_the_same_in_the_dialogue_environment(encoder: SentenceEncoder, model_folder: Path):
    vectors, heavy, version = run(RASA_PYTHON, model_folder)
    assert heavy == []
    # Versions of onnxruntime round int8 differently: 0.993 between 1.23 and 1.32, 1.0 with the same in both.
    least = 0.999 if version == onnxruntime.__version__ else 0.98
    assert (vectors * encoder.encode(TEXTS)).sum(axis=1).min() > least
