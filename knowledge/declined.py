"""Questions that the desk is known not to answer: what lies nearer to one of these than to any entry is declined.

An entry on the US consulate is near to a question about the Korean one, and nothing in the entry says that it is not
meant. What was asked in vain before says it. The list (declined.yml) is written by people, like the entries, in all
languages; it is encoded once and kept beside the index.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from knowledge.embedder import Embedder
from knowledge.geometry import Geometry

FILE = Path(__file__).resolve().with_name("declined.yml")
FloatArray = npt.NDArray[np.float32]
# How many of the nearest are averaged: one alone may be near by chance.
NEAREST = 3
# What is said of a question when nothing was ever declined: a cosine that nothing falls below.
NOTHING_NEAR = -0.2
logger = logging.getLogger(__name__)


class Declined:
    """The vectors of declined questions, made comparable, shape (n, dimension); never changed."""

    def __init__(self, texts: Sequence[str], vectors: FloatArray) -> None:
        self._rows = {text: row for row, text in enumerate(texts)}
        self._vectors = vectors

    def near(self, vector: FloatArray, apart_from: Collection[str] = ()) -> tuple[float, float]:
        """Return the cosine of the nearest declined question with a question's vector, and the nearest few's mean.

        `apart_from` leaves some out by their texts: what is learnt from a labelled question must not know its label.
        """
        cosines = self._vectors @ vector if self._rows else np.zeros(0, np.float32)
        if apart := [self._rows[text] for text in apart_from if text in self._rows]:
            cosines = np.delete(cosines, apart)
        if not len(cosines):
            return NOTHING_NEAR, NOTHING_NEAR
        nearest = np.sort(cosines)[-NEAREST:]
        return float(nearest[-1]), float(nearest.mean())

    @classmethod
    def encode(cls, questions: Mapping[str, Sequence[str]], embedder: Embedder, geometry: Geometry) -> Declined:
        """Return the questions, given by language, encoded as what they are."""
        pairs = [(text, language) for language, texts in questions.items() for text in texts]
        rows = [geometry.question(embedder.encode_query(text).vector, language) for text, language in pairs]
        return cls([text for text, _ in pairs], np.stack(rows) if rows else np.zeros((0, embedder.dimension)))

    @classmethod
    def kept(cls, folder: Path, embedder: Embedder, geometry: Geometry) -> Declined:
        """Return the list's questions as a folder keeps them; encoded, and kept there, when it keeps others."""
        questions = read()
        of = hashlib.sha256(f"{embedder.name} {geometry.digest} {sorted(questions.items())}".encode()).hexdigest()[:12]
        file = folder / f"declined-{of}.npy"
        texts = [text for each in questions.values() for text in each]
        try:
            vectors = np.load(file, allow_pickle=False)
            if len(vectors) == len(texts):
                return cls(texts, vectors)
        except (OSError, ValueError, EOFError):
            pass
        made = cls.encode(questions, embedder, geometry)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            aside = file.with_suffix(".part")
            with aside.open("wb") as stream:
                np.save(stream, made._vectors)
            aside.replace(file)
            for old in folder.glob("declined-*.npy"):
                if old != file:
                    old.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("Declined questions cannot be kept in %s (%s): encoded at every start", folder, error)
        return made


NONE = Declined((), np.zeros((0, 0), np.float32))


@lru_cache(maxsize=1)
def read(file: Path = FILE) -> dict[str, list[str]]:
    """Return the declined questions by language."""
    return {language: list(texts) for language, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items()}
