"""`make bench-peers`: our search beside txtai's hybrid, plain dense vectors and plain BM25, on the same questions.

All four get the same passages and, where they use one, the same model from the same folder, on one thread. An entry is
found by its best passage. Every question is asked of all four in turn, so that a noisy machine meets all; what counts
is the ratio. Times are of one question at a time, encoding included, nothing cached.

txtai runs as its documentation sets up a hybrid index: its own BM25 (terms, normalised, its Unicode tokenizer), its
FAISS index, equal weights. The model's own prompts (`query: `, `passage: `) reach it through sentence-transformers,
so that `instructions` would put them twice; what it makes of a text is compared with ours first. Nothing is restored,
centred or calibrated for the peers: that is what is measured.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
PARAGRAPHS = ROOT / "tests" / "data" / "paragraphs"
# Passages that a peer looks up, so that ten entries are among them: an entry has a dozen or more.
DEPTH = 100
TOP = 10
# A batch is quantised as a whole (knowledge.embedder), hence not quite 1.
SAME = 0.97
# Takes a question and its language, returns the names of entries, best first.
Search = Callable[[str, str], list[str]]


def best_entries(rows: Sequence[int], entries: Sequence[str]) -> list[str]:
    """Return the entries of passages, best first, each once."""
    return list(dict.fromkeys(entries[int(row)] for row in rows))[:TOP]


def strip_diacritics(text: str) -> str:
    """Return Vietnamese as it is typed without diacritics; capitals stay."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def snapshot_of(passages: Sequence[Any]) -> Any:
    """Return the product's index of passages; its vectors are the model's own."""
    from knowledge.calibration import Calibration
    from knowledge.snapshot import Snapshot, encode

    embedder = fresh_embedder()
    geometry = Calibration.read(embedder.name).geometry
    arrays = encode(passages, embedder, None, geometry)
    return Snapshot(0, embedder.name, tuple(passages), *arrays, geometry.digest)


def ours(snapshot: Any, declined: bool) -> Search:
    """Return the product's own search path."""
    from django.utils import timezone

    from knowledge.calibration import Calibration
    from knowledge.declined import NONE, Declined, read
    from knowledge.searcher import Searcher

    embedder = fresh_embedder()
    calibration = Calibration.read(embedder.name)
    known = Declined.encode(read(), embedder, calibration.geometry) if declined else NONE
    searcher = Searcher(snapshot, embedder, calibration, declined=known)
    today = timezone.localdate()
    return lambda text, language: [hit.entry for hit in searcher.search(text, language, today, TOP).hits]


def plain_dense(snapshot: Any) -> Search:
    """Return cosine with the model's vectors as they are."""
    import faiss

    embedder = fresh_embedder()
    index = faiss.IndexFlatIP(embedder.dimension)
    index.add(snapshot.vectors)
    entries = [each.entry for each in snapshot.passages]
    depth = min(DEPTH, len(entries))
    return lambda text, _: best_entries(index.search(embedder.embed_query(text)[None], depth)[1][0], entries)


def plain_bm25(passages: Sequence[Any]) -> Search:
    """Return bm25s as it comes: its own tokenizer, no stop words, for these are seven languages."""
    import bm25s

    # The library sets its logger to DEBUG when it is imported.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    retriever = bm25s.BM25()
    texts = [each.text for each in passages]
    retriever.index(bm25s.tokenize(texts, stopwords=None, show_progress=False), show_progress=False)
    entries = [each.entry for each in passages]
    depth = min(DEPTH, len(passages))

    def search(text: str, _: str) -> list[str]:
        words = bm25s.tokenize([text], stopwords=None, return_ids=False, show_progress=False)
        rows, scores = retriever.retrieve(words, k=depth, show_progress=False)
        return best_entries(rows[0][scores[0] > 0], entries)

    return search


def txtai_hybrid(passages: Sequence[Any]) -> Search:
    """Return txtai's hybrid search with the model of the same folder; raises ImportError without the extra."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import onnxruntime
    from django.conf import settings
    from txtai import Embeddings

    from knowledge.model import read_manifest

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    manifest = read_manifest(Path(settings.MODEL))
    embeddings = Embeddings({
        "method": "sentence-transformers", "path": settings.MODEL, "gpu": False, "backend": "faiss", "hybrid": True,
        "vectors": {
            "backend": "onnx", "local_files_only": True,
            "model_kwargs": {
                "file_name": manifest.onnx_file, "provider": "CPUExecutionProvider", "session_options": options,
            },
            "processor_kwargs": {"fix_mistral_regex": False},
        },
    })
    embeddings.index((row, each.text, None) for row, each in enumerate(passages))
    question, embedder = "Mấy giờ chùa mở cửa?", fresh_embedder()
    for theirs, ourselves in (
        (embeddings.batchtransform([question], "query")[0], embedder.embed_query(question)),
        (embeddings.batchtransform([question], "data")[0], embedder.embed_passages([question])[0]),
    ):
        if (same := float(np.dot(theirs, ourselves))) < SAME:
            raise RuntimeError(f"txtai encodes a text differently (cosine {same:.3f}): not a fair comparison")
    entries = [each.entry for each in passages]
    return lambda text, _: best_entries([row for row, _ in embeddings.search(text, DEPTH)], entries)


def fresh_embedder() -> Any:
    """Return the model, with a cache of its own: a question that one has encoded costs the next one as much."""
    from django.conf import settings

    from knowledge.embedder import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(settings.MODEL)
    embedder.warm_up()
    return embedder


def measure(systems: dict[str, Search], questions: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return recall, MRR and milliseconds of every system on the same questions."""
    from knowledge.evaluation import ranking, times

    found: dict[str, list[Any]] = {name: [] for name in systems}
    taken: dict[str, list[float]] = {name: [] for name in systems}
    names = list(systems)
    for number, question in enumerate(questions):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            started = time.perf_counter()
            entries = systems[name](question.text, question.lang)
            taken[name].append((time.perf_counter() - started) * 1000)
            found[name].append((entries, question))
    return {name: ranking(found[name]) | times(taken[name]) for name in systems}


def build(passages: Sequence[Any], declined: bool) -> dict[str, Search]:
    """Return all systems over some passages; txtai only where the extra is installed."""
    snapshot = snapshot_of(passages)
    systems = {"citydesk": ours(snapshot, declined)}
    try:
        systems["txtai hybrid"] = txtai_hybrid(passages)
    except ImportError as error:
        note(f"txtai is left out: {error}. `make bench-peers` installs it.")
    return systems | {"plain dense": plain_dense(snapshot), "BM25 (bm25s)": plain_bm25(passages)}


def measured() -> dict[str, dict[str, dict[str, Any]]]:
    """Return for every set of questions what every system made of it."""
    from dataclasses import replace

    from django.core.management import call_command

    from knowledge.labelled import read_evaluation, read_questions
    from knowledge.management.commands.evaluate import QUESTIONS, passages_of
    from knowledge.passages import published_passages

    call_command("migrate", verbosity=0)
    call_command("import_content", stdout=sys.stderr)
    passages = list(published_passages())
    labelled = [each for each in read_questions(sorted(QUESTIONS.glob("*.jsonl"))) if each.split == "test"]
    answerable = [each for each in labelled if each.relevant]
    plain = [replace(each, text=strip_diacritics(each.text)) for each in answerable if each.lang == "vi"]
    note(f"indexing {len(passages)} passages, for us and for txtai (some minutes)")
    systems = build(passages, declined=True)
    note(f"asking {len(answerable) + len(plain)} questions")
    results = {
        "ours, seven languages": measure(systems, answerable),
        "ours, vi stripped": measure(systems, plain),
    }
    for asked, written in (("vi", "vi"), ("en", "en"), ("vi", "en")):
        files = PARAGRAPHS / f"corpus-{written}.jsonl", PARAGRAPHS / f"queries-{asked}.jsonl"
        texts, questions, _ = read_evaluation(*files)
        note(f"paragraphs {asked}->{written}")
        results[f"paragraphs {asked}->{written}"] = measure(build(passages_of(texts), declined=False), questions)
    return results


def show(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Print one table."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("", no_wrap=True)
    for head in ("n", "recall@1", "recall@5", "MRR@10", "p50 ms", "p95 ms"):
        table.add_column(head, justify="right", no_wrap=True)
    for title, systems in results.items():
        table.add_row(f"[bold]{title}")
        for name, row in systems.items():
            table.add_row(
                f"  {name}", str(row["n"]), *(f"{row[key]:.3f}" for key in ("recall@1", "recall@5", "mrr@10")),
                *(f"{row[key]:.1f}" for key in ("p50_ms", "p95_ms")),
            )
        table.add_section()
    console = Console()
    console.width = max(console.width, 80)
    console.print(table)


def note(text: str) -> None:
    """Tell what is going on."""
    print(f"→ {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure on the starter content in a database of its own, and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    options = parser.parse_args()
    os.environ.setdefault("CITYDESK_MODEL", str(ROOT / "var" / "model"))
    with tempfile.TemporaryDirectory(prefix="citydesk-peers-") as folder:
        os.environ |= {"CITYDESK_VAR": folder, "DJANGO_SETTINGS_MODULE": "desk.settings"}
        import django

        django.setup()
        results = measured()
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
