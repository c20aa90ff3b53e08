"""Errors of the knowledge package; each message says what was found and what to do next."""

from __future__ import annotations


class KnowledgeError(Exception):
    """Base of every error that the knowledge package raises on purpose."""


class ModelMissing(KnowledgeError):  # noqa: N818 - reads as what happened, like the standard library's
    """The embedding model that the settings name is not there, or is not complete."""


class ModelMismatch(KnowledgeError):  # noqa: N818
    """Something was made with another embedding model than the one in use."""


class SnapshotError(KnowledgeError):
    """An index snapshot that is incomplete, damaged or of another model; says which file and what to run."""


class NotCalibrated(KnowledgeError):
    """The decision whether an entry answers has not been calibrated for this model; says what to run."""


class VectorServerError(KnowledgeError):
    """The vector server (Milvus) or its client is missing, does not answer or refuses; says where and what to do."""
