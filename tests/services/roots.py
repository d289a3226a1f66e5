"""Roots of containers, made of programs of this machine and the libraries that they need, since tests fetch no images."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

LIBRARY = re.compile(r"(/\S+)")  # in what `ldd` prints


def root_of(folder: Path, programs: Iterable[str] = ("sh", "cat", "sleep", "dd")) -> Path:
    """Put programs into ``folder``/bin, and their libraries where they are looked for."""
    for name in programs:
        found = Path(str(shutil.which(name))).resolve()
        _copy(found, folder / "bin" / name)
        for library in LIBRARY.findall(
            subprocess.run(["ldd", found], capture_output=True, text=True, check=True).stdout
        ):
            _copy(Path(library), folder / library.lstrip("/"))
    for path in folder.rglob("*/"):
        path.chmod(0o777)
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(0o777)  # as `images.unpack` leaves it
