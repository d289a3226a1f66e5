"""The log of one run: collected, and stored now and then while the run goes on, so that people see it grow."""

from __future__ import annotations

import time

from qumulus.core.errors import Unavailable
from qumulus.core.ports import Claim, JobQueue
from qumulus.core.results import LogLine, Severity

FLUSH_SECONDS = 1.0
MOST_LINES = 10_000
MOST_CHARACTERS = 4 << 20  # of one run
CUT = "The log is cut here: a run may write 10,000 lines and 4 MiB."


class LogBuffer:
    """Lines of one attempt."""

    def __init__(self, queue: JobQueue, claim: Claim) -> None:
        self._queue = queue
        self._claim = claim
        self._lines: list[LogLine] = []
        self._count = 0
        self._characters = 0
        self._stored_at = time.monotonic()

    @property
    def patience(self) -> float:
        """Seconds after which `flush` has something to do, or a long time."""
        if not self._lines:
            return 3600.0
        return max(0.01, self._stored_at + FLUSH_SECONDS - time.monotonic())

    def add(self, line: LogLine) -> None:
        """One line more. What is over the limit is left out, and the log says so once."""
        if self._count > MOST_LINES or self._characters > MOST_CHARACTERS:
            return
        self._count += 1
        self._characters += len(line.text)
        if self._count > MOST_LINES or self._characters > MOST_CHARACTERS:
            line = LogLine(line.time, CUT, Severity.WARNING)
        self._lines.append(line)
        if time.monotonic() - self._stored_at > FLUSH_SECONDS:
            self.flush()

    def take(self) -> list[LogLine]:
        """What is not stored yet, to be stored with the outcome."""
        lines, self._lines = self._lines, []
        return lines

    def flush(self) -> None:
        """Store what came until now. Where the disk refuses, the lines stay for the next time."""
        lines = self.take()
        self._stored_at = time.monotonic()
        if lines:
            try:
                self._queue.log(self._claim, lines)
            except Unavailable:
                self._lines = lines + self._lines
