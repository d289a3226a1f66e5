"""Processes that somebody stopped: they are there, and do nothing."""

from __future__ import annotations

import time
from datetime import timedelta

from . import process


class Stopped:
    """Remembers since when processes have been stopped."""

    def __init__(self, patience: timedelta) -> None:
        """``patience`` is how long one may be stopped."""
        self._patience = patience.total_seconds()
        self._since: dict[int, float] = {}

    def too_long(self, pid: int | None) -> bool:
        """Look at a process, again and again; say whether it has been stopped for too long."""
        if pid is None or not process.is_stopped(pid):
            self._since.pop(pid or 0, None)
            return False
        return time.monotonic() - self._since.setdefault(pid, time.monotonic()) > self._patience
