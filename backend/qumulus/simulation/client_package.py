"""The package qiskit-ibm-runtime without its start: importing it whole takes longer than anything else in a worker.

Qiskit's transpiler loads a plugin of that package whether it is used or not, and the encoders of the wire format are a
module of it. Neither needs what the package's own ``__init__`` brings in: HTTP clients, account services, job classes.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PACKAGE = "qiskit_ibm_runtime"


class _Deferred(ModuleType):
    """A package whose modules can be imported, and whose own code runs when a name of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if name.startswith("__") or spec is None or spec.loader is None:
            raise AttributeError(name)
        setattr(self, "__class__", ModuleType)  # noqa: B010 - once is enough; written so because types can't say it
        spec.loader.exec_module(self)
        return getattr(self, name)


def defer() -> None:
    """Let modules of the package be imported without the package itself. Does nothing where it is imported already."""
    if PACKAGE in sys.modules:
        return
    spec: ModuleSpec | None = find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        return
    module = _Deferred(PACKAGE)
    module.__spec__ = spec
    module.__file__ = spec.origin
    module.__path__ = list(spec.submodule_search_locations)
    sys.modules[PACKAGE] = module
