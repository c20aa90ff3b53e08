"""Keeps TensorFlow out of the dialogue engine.

Rasa imports TensorFlow for DIET and TED whether a pipeline uses them or not: 380 MB of memory and six
seconds at every
start. Ours uses neither (issue 2, point 4), so an empty stand-in takes the name before Rasa asks for it. A
pipeline that did use it fails at once, with the sentence below.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

_REASON = (
    "This dialogue engine runs without TensorFlow (nlu/without_tensorflow.py): remove the component "
    "that needs it from config.yml, or set CITYDESK_TENSORFLOW=1."
)


class _Nothing(type):
    """A class whose attributes are such classes: enough for base classes, annotations, decorators."""

    def __getattr__(cls, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (_StandIn,), {})


class _StandIn(metaclass=_Nothing):
    def __init__(self, *args: object, **kwargs: object) -> None:
        # Decorators and defaults are evaluated at import; models are built by components that we do not have.
        if type(self).__module__.startswith("rasa.") and not type(self).__name__.startswith("_"):
            raise RuntimeError(_REASON)

    def __call__(self, *args: object, **kwargs: object) -> object:
        return args[0] if len(args) == 1 and callable(args[0]) else self

    def __class_getitem__(cls, item: object) -> type:
        return cls


class _Module(ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(name, (_StandIn,), {})


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `tensorflow` and what belongs to it, and gives the stand-in."""

    names = ("tensorflow", "tensorflow_hub", "tensorflow_text", "tensorflow_addons", "keras")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Claim the names."""
        if fullname.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return an empty module."""
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


def install() -> None:
    """Take TensorFlow's place; to be called before anything of Rasa is imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
