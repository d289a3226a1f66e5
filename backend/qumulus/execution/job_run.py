"""The run of one claim on its way, as a slot and who keeps it after the slot see it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from qumulus.core.ports import Claim
from qumulus.core.programs import Limits
from qumulus.dispatching.attempts import Attempt

from .worker_pool import WorkerHandle


class Ending(Enum):
    """Why we killed a worker."""

    CANCELLED = auto()
    STOPPED = auto()
    TIME = auto()
    HUNG = auto()


@dataclass(slots=True)
class JobRun:
    """The run of one claim on its way."""

    attempt: Attempt
    limits: Limits
    given_up: threading.Event
    ending: Ending | None = None
    worker: WorkerHandle | None = None
    confirmed: bool = False  # the worker has begun: from here on its death counts
    taken: int = 0  # bytes of the budget
    begun: float | None = None  # monotonic; None while it waits for a place
    begun_at: datetime | None = None  # the same in the cloud
    began_at: datetime | None = None  # that, until it is stored that it runs
    waited: float = 0.0  # seconds, for memory

    @property
    def claim(self) -> Claim:
        """Return what was claimed."""
        return self.attempt.claim

    @property
    def seconds(self) -> float:
        """Return for how many seconds it has run, without those in which it waited for memory."""
        return time.monotonic() - self.begun - self.waited if self.begun is not None else 0.0

    def is_of(self, job_id: str, attempt: int | None) -> bool:
        """Say whether it is of a job, and of one attempt at it, if one is named."""
        return self.claim.job_id == job_id and attempt in (None, self.claim.attempt)
