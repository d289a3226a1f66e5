"""The snapshot files of the installed qiskit-ibm-runtime package, read as they are and freed of their inner names."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

PACKAGE = "qiskit_ibm_runtime"
Part = Literal["conf", "props"]


@cache
def folder() -> Path:
    """Return the folder that holds one folder a device.

    Raises:
        FileNotFoundError: the package is not installed, or keeps its snapshots elsewhere.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The device data is part of {PACKAGE}, which is not installed: install Qumulus again.")
    backends = Path(spec.origin).parent / "fake_provider" / "backends"
    if not backends.is_dir():
        raise FileNotFoundError(f"This {PACKAGE} has no device snapshots in fake_provider/backends.")
    return backends


def names() -> tuple[str, ...]:
    """Return all devices that have a configuration and properties."""
    return tuple(
        sorted(
            at.name for at in folder().iterdir() if _file(at.name, "conf").exists() and _file(at.name, "props").exists()
        )
    )


def source() -> str:
    """Return the package that the data is from, with its version."""
    return f"qiskit-ibm-runtime {version('qiskit-ibm-runtime')}"


@lru_cache(maxsize=8)  # a parsed document takes some 5 MB; whoever serves many keeps their bytes
def read(name: str, part: Part) -> dict[str, Any]:
    """One document of a device, under the device's own name. The caller must not change it.

    Snapshots call themselves `ibm_…`, `ibmq_…`, `ibmqx2`, `alt_…` or `fake_…`, and write "None" for what is not known.
    """
    document = json.loads(_file(name, part).read_bytes())
    return {key: None if value == "None" else value for key, value in document.items()} | {"backend_name": name}


def _file(name: str, part: Part) -> Path:
    return folder() / name / f"{part}_{name}.json"
