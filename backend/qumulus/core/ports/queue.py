"""The ports through which dispatchers take jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from qumulus.core.faults import Fault
from qumulus.core.jobs import JobState
from qumulus.core.programs import Program
from qumulus.core.results import LogLine, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job in the hands of a dispatcher. Every finish names the attempt."""

    job_id: str
    attempt: int
    program: Program
    device: str  # in whose queue it was; its program may be for the one that this stands for
    account: str
    session: str | None = None
    counted_attempts: int = 0  # attempts that died by themselves; where only one may be, also one that was lost
    attempts: int = 3  # how many may
    max_seconds: float | None = None  # what the caller allows
    queued_at: datetime | None = None
    fault: Fault | None = None  # what is to go wrong with it
    trace: str | None = None  # of the request that made the job
    lost_because: str | None = None  # why the run before this one had no outcome, a sentence
    fetched: bool = False  # by the engine of its device, which may outlive this machine
    put_back: int = 0  # claims of the job before this one that were put back before anything began

    @property
    def run(self) -> int:
        """Return the number of the run that this is: what people are shown as the attempt."""
        return self.attempt - self.put_back


Begin = Callable[[Claim | None], None]
"""Begins a claim in the slot that is kept for it; with None, nothing comes and the slot is free again."""


class AtOnce(Protocol):
    """Jobs that are claimed in the step in which they are stored, where none waits before them."""

    @property
    def quiet(self) -> bool:
        """Say whether no job waits, as far as is known without asking: what is queued here from now on is told by an event."""
        ...

    @property
    def faulty(self) -> bool:
        """Say whether faults may hit jobs as they are claimed: a claim that is put back would have spent one for nothing."""
        ...

    def offer(
        self, owner: str, lease: timedelta, keep: Callable[[], Begin | None], devices: Callable[[str], bool]
    ) -> None:
        """Let jobs of some devices be claimed for a dispatcher of this process, as by `JobQueue.claim`.

        ``keep`` keeps a slot for a job that may come, and returns how it begins there; None where no slot is free.
        """
        ...


class JobQueue(Protocol):
    """Jobs as a dispatcher takes them."""

    @property
    def at_once(self) -> AtOnce: ...

    def claim(
        self,
        owner: str,
        count: int,
        lease: timedelta,
        *,
        devices: Callable[[str], bool] | None = None,
        besides: frozenset[str] = frozenset(),
    ) -> list[Claim]:
        """Take up to ``count`` jobs that may run now, of the devices that ``devices`` is true for, or of all, and of no account in ``besides``."""
        ...

    def start(self, claim: Claim) -> bool:
        """Mark as running; False when the claim is no longer ours."""
        ...

    def expect_end(self, claim: Claim, at: datetime) -> None:
        """Keep until when the job goes on, by the clock of the cloud, though its outcome is known; for who asks when it will end."""
        ...

    def heartbeat(self, owner: str, claims: Iterable[Claim], lease: timedelta) -> list[Claim]:
        """Renew the leases and return the claims whose run must stop: cancelled, or no longer ours."""
        ...

    def finish(
        self, claim: Claim, outcome: Outcome, log: Sequence[LogLine] = (), *, began_at: datetime | None = None
    ) -> bool:
        """Store result and final state in one transaction; False when the attempt is no longer ours.

        ``began_at`` is given where it was not marked as running: both steps are made at once, and the first one of a job that
        is to be cancelled is as illegal as alone.
        """
        ...

    def release(self, claim: Claim, *, counted: bool, reason: str) -> JobState | None:
        """Hand a job back, or end it where it was to be cancelled or has had all its attempts.

        ``counted`` says whether the attempt counts against it. Returns the state that it is in now; None when the attempt is
        no longer ours.
        """
        ...

    def put_back(self, claim: Claim) -> JobState | None:
        """Queue again what has not begun, as if it had not been claimed; end it where it was to be cancelled. Returns as `release`."""
        ...

    def log(self, claim: Claim, lines: Sequence[LogLine]) -> None:
        """Keep what a run has written until now."""
        ...

    def explain(self, queues: str, text: str | None) -> None:
        """Say of the jobs that wait in queues whose names begin with ``queues`` why they wait; None: no more."""
        ...

    def recover(self, *, everything: bool = False) -> int:
        """Hand back all jobs whose lease is over (none for a minute after the wall clock leapt), or, where the caller knows that
        no other dispatcher lives, every job with a lease.

        Returns how many there were.
        """
        ...


class FetchedQueue(JobQueue, Protocol):
    """The same, and jobs as the engines of devices take them, which run elsewhere."""

    def fetch(self, device: str, limit: int, lease: timedelta | None = None) -> list[Claim]:
        """Claim the oldest jobs of a device whose own engine fetches them; without a lease they stay claimed for ever."""
        ...

    def renew(self, job_id: str, lease: timedelta) -> None:
        """Renew the lease of a job that was fetched with one; of any other nothing changes."""
        ...

    def held(self, job_id: str) -> Claim:
        """Return the claim of a job that was fetched, for the engine that now reports on it.

        Raises:
            UnknownJob: nobody has fetched it, or it is final.
        """
        ...
