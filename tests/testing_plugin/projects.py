"""Projects of somebody else's: a folder with tests, run by a python that has a client and the plugin, and nothing of the server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ELSEWHERE = f"{sys.executable} -m qumulus"  # the server of these tests


def installed(folder: Path) -> Path:
    """Qumulus as a package index would give it, without its dependencies, in ``folder``."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*command, "--python", sys.executable, str(REPOSITORY)], check=True, timeout=300)
    return folder


def run_tests(
    python: Path, site: Path, folder: Path, *arguments: str, command: str = ELSEWHERE
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a project."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUMULUS_", "PYTEST_", "PYTHON"))}
    environment = kept | {"PYTHONPATH": str(site), "HOME": str(folder)}
    if command:
        environment["QUMULUS_COMMAND"] = command
    return subprocess.run(
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
