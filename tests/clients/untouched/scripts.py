"""Running a script as its author wrote it for the real cloud, and seeing where it connects."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from commands.cli import clean_environment

RECORDER = Path(__file__).parent / "recorder"


@dataclass(frozen=True)
class Ended:
    """A script that was run under `qumulus run`."""

    status: int
    output: str
    errors: str
    addresses: frozenset[str]  # hosts that were connected to


def run_untouched(
    python: Path,
    script: str,
    folder: Path,
    *flags: str,
    name: str = "script.py",
    seconds: float = 300,
    **environment: str,
) -> Ended:
    """`qumulus run FLAGS -- PYTHON script.py`, in a home of its own."""
    (folder / name).write_text(script)
    connections = folder / "connections"
    connections.touch()
    given = {"HOME": str(folder), "PYTHONPATH": str(RECORDER), "CONNECTIONS": str(connections)}
    ended = subprocess.run(
        [sys.executable, "-m", "qumulus", "run", *flags, "--", str(python), name],
        cwd=folder,
        env=clean_environment() | given | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    seen = (ast.literal_eval(line) for line in connections.read_text().splitlines())
    hosts = frozenset(str(address[0]) if isinstance(address, tuple) else str(address) for address in seen)
    return Ended(ended.returncode, ended.stdout, ended.stderr, hosts)
