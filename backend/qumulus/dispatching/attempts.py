"""One attempt at a job: what a dispatcher stores of it.

A disk that is full, or a database that is away for a moment, costs no job: how an attempt goes on and ends is written again and
again until it is stored, or until this dispatcher stops. Then the lease runs out, and the next dispatcher finds the job.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from qumulus.core.errors import Unavailable
from qumulus.core.jobs import JobState
from qumulus.core.ports import Claim, JobQueue
from qumulus.core.results import LogLine, Outcome

from .log_buffer import LogBuffer, LogLimit

AGAIN_SECONDS = 0.5  # until a write that was refused is tried again
FLUSH_SECONDS = 1.0  # between two writes of the log

T = TypeVar("T")


class Attempt:
    """A claim on its way, with its log."""

    def __init__(
        self,
        queue: JobQueue,
        claim: Claim,
        stopping: threading.Event,
        logger: logging.Logger,
        *,
        limit: LogLimit | None = None,
    ) -> None:
        """``stopping`` ends the insisting; ``limit`` is that of the log."""
        self.claim = claim
        self.log = LogBuffer(partial(queue.log, claim), every=FLUSH_SECONDS, limit=limit)
        self._queue = queue
        self._stopping = stopping
        self._logger = logger

    def write(self, lines: Sequence[LogLine]) -> None:
        """Add lines to the log and store them, now if that can be done."""
        self.log.add(*lines)
        self.log.flush()

    def start(self) -> bool | None:
        """Store that it runs; False when the claim is no longer ours, None when the dispatcher stops."""
        return self._insist(partial(self._queue.start, self.claim))

    def expect_end(self, at: datetime) -> None:
        """Store when it will end, by the clock of the cloud."""
        self._insist(partial(self._queue.expect_end, self.claim, at))

    def finish(
        self, outcome: Callable[[Sequence[LogLine]], Outcome], *, began_at: datetime | None = None
    ) -> bool | None:
        """Store how it ended, with the rest of its log, which ``outcome`` is told; ``began_at``: see `JobQueue.finish`.

        Returns:
            False when the attempt is no longer ours, None when the dispatcher stops.
        """
        rest = self.log.take()
        told = ""

        def store() -> bool:
            nonlocal told
            last = outcome(rest)
            told = "succeeded." if last.succeeded else f"failed: {last.reason}"
            return self._queue.finish(self.claim, last, rest, began_at=began_at)

        stored = self._insist(store)
        if stored:
            self._logger.info("Job %s %s", self.claim.job_id, told)
        return stored

    def release(self, *, counted: bool, reason: str) -> JobState | None:
        """Hand the job back with all that was written. See `JobQueue.release`; also None when the dispatcher stops."""
        self._logger.info("Job %s is handed back: %s", self.claim.job_id, reason)
        self._insist(self.log.store)
        return self._insist(partial(self._queue.release, self.claim, counted=counted, reason=reason))

    def put_back(self) -> JobState | None:
        """Queue again what has not begun. See `JobQueue.put_back`; also None when the dispatcher stops."""
        return self._insist(partial(self._queue.put_back, self.claim))

    def _insist(self, write: Callable[[], T]) -> T | None:
        while True:
            try:
                return write()
            except Unavailable as error:
                self._logger.error("How job %s goes on can't be stored, trying again: %s", self.claim.job_id, error)
                if self._stopping.wait(AGAIN_SECONDS):
                    return None
