"""Installing packages into an environment: by uv where this machine has it, which takes a tenth of pip's time, else by pip.

All versions are found first, so that it can be said how many of how many packages are there.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

Progress = Callable[[str], None]
"""Takes a sentence on how far it is."""

AT_ONCE = 8  # packages that are installed by one call of the installer
COMPILED = ("--compile-bytecode",)  # as pip does: a program, which can't write there, would compile all that it imports
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "--retries", "1")


class NotInstalled(Exception):
    """The packages could not be installed; with what the installer said last."""


class Run(Protocol):
    """Runs a command of an installer."""

    def __call__(self, command: Sequence[str]) -> None:
        """Run it.

        Raises:
            NotInstalled: it failed.
        """
        ...


def uv() -> tuple[str, ...] | None:
    """Return the command of uv; None where this machine has none."""
    if importlib.util.find_spec("uv") is not None:
        return (sys.executable, "-m", "uv")
    found = shutil.which("uv")
    return None if found is None else (found,)


def install(place: Path, listed: Path, constraints: Path, run: Run, progress: Progress) -> None:
    """Install what the file ``listed`` asks for into the environment at ``place``. What uv can't do, pip is asked for.

    Where there is uv, the environment needs no pip of its own: it gets one where it is asked for.

    Raises:
        NotInstalled: with what pip said.
    """
    python = str(place / "bin" / "python")
    command = uv()
    if command is not None:
        try:
            _with_uv(command, python, place / "resolved.txt", listed, constraints, run, progress)
            return
        except NotInstalled:
            progress("uv can't install the packages: trying pip.")
            run([python, "-m", "ensurepip"])
    _with_pip(python, place / "resolved.json", listed, constraints, run, progress)


def install_at_once(place: Path, listed: Path, constraints: Path, run: Run) -> None:
    """Install the same in one step: by uv where the environment has no pip of its own; what that can't do, by pip.

    Raises:
        NotInstalled: with what pip said.
    """
    python, command = str(place / "bin" / "python"), uv()
    asked = ("-r", str(listed), "-c", str(constraints))
    if command is not None and not (place / "bin" / "pip").exists():
        try:
            run([*command, "pip", "install", "--quiet", "--python", python, *COMPILED, *asked])
            return
        except NotInstalled:
            run([python, "-m", "ensurepip"])
    run([python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", *asked])


def _with_uv(
    uv: Sequence[str], python: str, resolved: Path, listed: Path, constraints: Path, run: Run, progress: Progress
) -> None:
    progress("Looking for the packages' versions.")
    options = ("--quiet", "--python", python)
    found = ("--no-header", "--no-annotate", "--output-file", str(resolved))
    run([*uv, "pip", "compile", *options, str(listed), "--constraint", str(constraints), *found])
    pins = [line for line in resolved.read_text().splitlines() if line.strip()]
    _in_parts([*uv, "pip", "install", *options, *COMPILED, "--no-deps"], pins, run, progress)


def _with_pip(python: str, resolved: Path, listed: Path, constraints: Path, run: Run, progress: Progress) -> None:
    progress("Looking for the packages' versions.")
    pip = [python, *PIP, "install"]
    run([*pip, "-r", str(listed), "-c", str(constraints), "--dry-run", "--report", str(resolved)])
    found = [each["metadata"] for each in json.loads(resolved.read_text())["install"]]
    pins = [f"{metadata['name']}=={metadata['version']}" for metadata in found]
    _in_parts([*pip, "--no-deps"], pins, run, progress)


def _in_parts(command: Sequence[str], pins: Sequence[str], run: Run, progress: Progress) -> None:
    for start in range(0, len(pins), AT_ONCE):
        progress(f"Installing its packages, {start} of {len(pins)}.")
        run([*command, *pins[start : start + AT_ONCE]])
