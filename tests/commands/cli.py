"""The command as people run it: a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence


def qumulus(
    *arguments: str, given: str = "", seconds: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `qumulus ARGUMENTS` in an environment without settings of its own, and wait."""
    return subprocess.run(
        command(*arguments),
        env=clean_environment() | environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def command(*arguments: str) -> Sequence[str]:
    """The words of the command line."""
    return [sys.executable, "-m", "qumulus", *arguments]


def clean_environment() -> dict[str, str]:
    """The environment of the tests without what would set something."""
    ours = ("QUMULUS_", "QISKIT_", "OQTOPUS_", "IAM_", "GLOBAL_", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"QUMULUS_SSE_PREPARE": "off"}
