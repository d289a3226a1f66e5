"""Commands of others that make what a service runs in: installers of packages, and engines that build images."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from .installing import NotInstalled

MINUTES = 30
LAST_LINES = 12


def done(command: Sequence[str], *, late: str, failed: str, **options: Any) -> str:
    """Run a command to its end and return what it printed; ``options`` are those of `subprocess.run`.

    Raises:
        NotInstalled: ``late``, where it takes longer than it may, or ``failed``, with what it said last.
    """
    try:
        ended = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            timeout=MINUTES * 60,
            check=False,
            stdin=subprocess.DEVNULL,
            **options,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{late} within {MINUTES} minutes.") from None
    if ended.returncode:
        said = "\n".join((ended.stderr.strip() or ended.stdout.strip()).splitlines()[-LAST_LINES:])
        raise NotInstalled(f"{failed}:\n{said}")
    return ended.stdout
