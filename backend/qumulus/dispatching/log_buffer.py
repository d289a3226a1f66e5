"""The log of one run: collected, and stored now and then while the run goes on, so that people see it grow."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qumulus.core.errors import Unavailable
from qumulus.core.results import LogLine, Severity


@dataclass(frozen=True, slots=True)
class LogLimit:
    """How much one run may write; ``cut`` stands instead of the first line that is over it."""

    characters: int
    cut: str
    line_costs: int = 0  # characters that each line counts besides its own: also an empty line costs something
    lines: int | None = None


class LogBuffer:
    """The lines of one run that are not stored yet. What can't be stored now stays for the next time."""

    def __init__(
        self, store: Callable[[Sequence[LogLine]], None], *, every: float, limit: LogLimit | None = None
    ) -> None:
        """``store`` takes lines that are new; it is not called more often than ``every`` so many seconds, unless by `flush`."""
        self._store = store
        self._every = every
        self._limit = limit
        self._fresh: list[LogLine] = []
        self._count = 0
        self._characters = 0
        self._stored_at = time.monotonic()

    @property
    def full(self) -> bool:
        """Say whether the run has written more than it may: what it writes from now on is left out."""
        limit = self._limit
        if limit is None:
            return False
        return self._characters > limit.characters or (limit.lines is not None and self._count > limit.lines)

    @property
    def patience(self) -> float:
        """Return seconds after which `flush_if_due` has something to do, or a long time."""
        if not self._fresh:
            return 3600.0
        return max(0.01, self._stored_at + self._every - time.monotonic())

    def add(self, *lines: LogLine) -> None:
        """Write lines. What is over the limit is left out, and the log says so once."""
        for line in lines:
            if self.full:
                return
            self._count += 1
            self._characters += len(line.text) + (self._limit.line_costs if self._limit else 0)
            if self.full and self._limit is not None:
                line = LogLine(line.time, self._limit.cut, Severity.WARNING)
            self._fresh.append(line)

    def flush_if_due(self) -> None:
        """Store what came until now, not more often than somebody who looks would notice."""
        if self._fresh and time.monotonic() - self._stored_at > self._every:
            self.flush()

    def flush(self) -> None:
        """Store what came until now. Where the disk refuses, the lines stay for the next time."""
        with contextlib.suppress(Unavailable):
            self.store()

    def store(self) -> None:
        """Store what came until now.

        Raises:
            Unavailable: the disk refuses. The lines stay for the next time.
        """
        lines = self.take()
        self._stored_at = time.monotonic()
        if lines:
            try:
                self._store(lines)
            except Unavailable:
                self._fresh = lines + self._fresh
                raise

    def take(self) -> list[LogLine]:
        """Return what is not stored yet, to be stored with the outcome."""
        lines, self._fresh = self._fresh, []
        return lines
