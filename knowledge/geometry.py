"""Makes vectors of different languages comparable: what a model adds to every text of a language is taken away.

Vectors of e5 lie in a narrow cone, and within it by language first, by meaning second: any Korean text is nearer to a
Korean question than the right one in Vietnamese. So the mean of a language is subtracted, then the few directions
that all texts share ("all-but-the-top", Mu and Viswanath, ICLR 2018); what is left compares across languages by plain
cosine. The same is done with the vectors of single tokens (knowledge.late), which are also shortened.

The numbers belong to a model, not to a knowledge base: `manage.py calibrate` takes them from the texts at hand and
keeps them beside the decision's numbers.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
# Directions shared by all texts, of whole texts and of tokens; numbers kept of a token. Chosen on tuning questions.
COMMON, COMMON_TOKEN, TOKEN_DIMENSION = 5, 3, 256
# Stands for every language that was not among the texts.
ANY = ""


@dataclass(frozen=True)
class Geometry:
    """A model's means by language, shape (dimension,), and shared directions, shape (k, dimension).

    `tokens` is the basis that token vectors are shortened to, shape (dimension, numbers kept).
    """

    questions: Mapping[str, FloatArray] = field(default_factory=dict)
    passages: Mapping[str, FloatArray] = field(default_factory=dict)
    common: FloatArray | None = None
    question_tokens: Mapping[str, FloatArray] = field(default_factory=dict)
    passage_tokens: Mapping[str, FloatArray] = field(default_factory=dict)
    tokens: FloatArray | None = None

    def question(self, vector: FloatArray, language: str) -> FloatArray:
        """Return a question's unit vector made comparable: shape (dimension,)."""
        return self._compare(vector[None, :] - _of(self.questions, language))[0]

    def passage_rows(self, vectors: FloatArray, languages: Sequence[str]) -> FloatArray:
        """Return passages' unit vectors made comparable: shape (n, dimension)."""
        made = np.array(vectors, np.float32)
        for language in set(languages):
            rows = np.array([each == language for each in languages])
            made[rows] -= _of(self.passages, language)
        return self._compare(made)

    def question_token_rows(self, tokens: FloatArray, language: str) -> FloatArray:
        """Return a question's token vectors as unit vectors made comparable: shape (t, numbers kept)."""
        return self._shorten(tokens - _of(self.question_tokens, language))

    def passage_token_rows(self, tokens: FloatArray, language: str) -> FloatArray:
        """Return a passage's token vectors as unit vectors made comparable: shape (t, numbers kept)."""
        return self._shorten(tokens - _of(self.passage_tokens, language))

    @cached_property
    def digest(self) -> str:
        """Return 12 hexadecimal digits: tokens shortened with one geometry cannot be compared with another's."""
        content = hashlib.sha256()
        for name, array in sorted(self.as_arrays().items()):
            content.update(name.encode())
            content.update(np.ascontiguousarray(array).tobytes())
        return content.hexdigest()[:12]

    def as_arrays(self) -> dict[str, npt.NDArray[np.float16]]:
        """Return what `write` keeps, in half precision."""
        arrays = {"common": self.common, "tokens": self.tokens}
        for group in ("questions", "passages", "question_tokens", "passage_tokens"):
            for language, mean in getattr(self, group).items():
                arrays[f"{group}/{language or 'any'}"] = mean
        return {name: array.astype(np.float16) for name, array in arrays.items() if array is not None}

    def write(self, file: Path) -> None:
        """Keep the numbers in a compressed NumPy file."""
        np.savez_compressed(file, **self.as_arrays())  # type: ignore[arg-type]

    @classmethod
    def read(cls, file: Path) -> Geometry:
        """Return the numbers kept in a file; raises OSError and ValueError."""
        groups: dict[str, dict[str, FloatArray]] = {}
        single: dict[str, FloatArray] = {}
        try:
            kept = file.read_bytes()
            arrays = np.load(io.BytesIO(kept), allow_pickle=False)
            names = arrays.files
        except (zipfile.BadZipFile, EOFError, AttributeError) as error:
            raise ValueError(f"{file.name} is damaged") from error
        with arrays:
            for name in names:
                group, _, language = name.partition("/")
                array = arrays[name].astype(np.float32)
                if language:
                    groups.setdefault(group, {})[ANY if language == "any" else language] = array
                else:
                    single[group] = array
        return cls(**groups, **single)

    @classmethod
    def fit(
        cls,
        passages: tuple[FloatArray, Sequence[str]],
        questions: tuple[FloatArray, Sequence[str]],
        passage_tokens: Sequence[FloatArray],
        question_tokens: Sequence[FloatArray],
    ) -> Geometry:
        """Return the numbers of a model from (vectors, languages) of texts encoded as passages and as questions.

        The tokens are those of the same texts in the same order, an array of shape (tokens, dimension) a text.
        """
        vectors, languages = passages
        passage_means = _means(vectors, languages)
        centred = vectors - np.stack([passage_means[each] for each in languages])
        token_means = _token_means(passage_tokens, languages)
        pairs = zip(passage_tokens, languages, strict=True)
        # Every third text says as much of the directions as all of them, in a third of the time and memory.
        sample = np.concatenate([tokens - token_means[each] for tokens, each in list(pairs)[::3]])
        directions = np.linalg.eigh(sample.T @ sample)[1][:, ::-1]
        return cls(
            _means(*questions), passage_means, np.linalg.svd(centred, full_matrices=False)[2][:COMMON],
            _token_means(question_tokens, questions[1]), token_means,
            directions[:, COMMON_TOKEN : COMMON_TOKEN + TOKEN_DIMENSION].astype(np.float32),
        ).rounded()

    def rounded(self) -> Geometry:
        """Return the geometry as it is after being kept and read again."""
        arrays = {name: array.astype(np.float32) for name, array in self.as_arrays().items()}
        groups = {
            group: {key: arrays[f"{group}/{key or 'any'}"] for key in getattr(self, group)}
            for group in ("questions", "passages", "question_tokens", "passage_tokens")
        }
        return Geometry(**groups, common=arrays.get("common"), tokens=arrays.get("tokens"))

    def _compare(self, rows: FloatArray) -> FloatArray:
        if self.common is not None:
            rows = rows - (rows @ self.common.T) @ self.common
        return unit(rows)

    def _shorten(self, rows: FloatArray) -> FloatArray:
        return unit(rows if self.tokens is None else rows @ self.tokens)


PLAIN = Geometry()


def unit(rows: FloatArray) -> FloatArray:
    """Return the rows with length 1; a row of nothing stays nothing."""
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)).astype(np.float32)


def _of(means: Mapping[str, FloatArray], language: str) -> FloatArray | float:
    return means.get(language, means.get(ANY, 0.0))


def _means(vectors: FloatArray, languages: Sequence[str]) -> dict[str, FloatArray]:
    of = np.array(languages)
    means = {language: vectors[of == language].mean(axis=0) for language in sorted(set(languages))}
    return {**means, ANY: np.mean(list(means.values()), axis=0)}


def _token_means(tokens: Sequence[FloatArray], languages: Sequence[str]) -> dict[str, FloatArray]:
    means = {}
    for language in sorted(set(languages)):
        total, count = 0.0, 0
        for each, of in zip(tokens, languages, strict=True):
            if of == language and len(each):
                total, count = total + each.sum(axis=0, dtype=np.float64), count + len(each)
        if count:
            means[language] = np.asarray(total / count, np.float32)
    return {**means, ANY: np.mean(list(means.values()), axis=0)}
