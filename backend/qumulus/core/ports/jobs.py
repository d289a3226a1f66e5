"""Jobs and the work that instances see, as people ask for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from qumulus.core.accounts import Caller
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.results import LogLine
from qumulus.core.workloads import Activity, Scope, WorkloadPage, WorkloadQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What jobs at devices do if no time passes in the cloud, and when the next thing happens that time brings."""

    running: int  # of which it is not known when they will end
    ready: int  # that may be taken now, at most one of each account and device
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs to list. Every member narrows; the order always ends with the id, so that paging is stable."""

    id: str | None = None
    account: str | None = None
    device: str | None = None
    without_devices: frozenset[str] = frozenset()
    states: frozenset[JobState] | None = None
    kinds: frozenset[str] | None = None
    api: str | None = None
    session: str | None = None
    alone: bool = False  # only those of no session
    instance: str | None = None
    tags: tuple[str, ...] = ()  # all of them
    text: str | None = None  # in id, name or note; one of less than three characters in those of the newest 500
    created_after: datetime | None = None  # inclusive
    created_before: datetime | None = None  # inclusive
    queued_after: datetime | None = None
    queued_before: datetime | None = None
    descending: bool = True
    offset: int = 0
    limit: int = 100
    counted: bool = True  # whether the page says how many match in all, of those with a text at most 1,000; else its total is no count


@dataclass(frozen=True, slots=True)
class Page:
    """A page of jobs and how many match in all."""

    jobs: tuple[Job, ...]
    total: int


class JobStore(Protocol):
    """Jobs as people ask for them. What was acknowledged is on disk."""

    def new_id(self) -> str:
        """Return an identifier for a job that is to be submitted, where something is to know it beforehand."""
        ...

    def submit(self, new: NewJob) -> Job:
        """Store payload and row, and return after the commit; the same idempotency key gives the same job.

        Raises:
            UnknownSession, WrongState: its session takes no jobs.
            Draining: the server is stopping.
            StorageFull: nothing was stored.
        """
        ...

    def drain(self) -> None:
        """Take no new jobs from now on: `submit` and `upload` raise Draining."""
        ...

    def upload(self, job_id: str, new: NewJob) -> Job:
        """Store the program of a registered job and queue the job.

        Raises:
            UnknownJob, IllegalTransition
        """
        ...

    def get(self, job_id: str, caller: Caller) -> Job:
        """Return a job of the caller.

        Raises:
            UnknownJob: also for a job of somebody else.
        """
        ...

    def look(self, job_id: str) -> Job:
        """Return a job, whoever owns it.

        Raises:
            UnknownJob
        """
        ...

    def find(self, query: JobQuery) -> Page: ...

    def payload(self, job_id: str) -> bytes: ...

    def result(self, job_id: str) -> tuple[bytes, str]:
        """Return the stored result of a job, and the media type of the result.

        Raises:
            UnknownJob, NoResult
        """
        ...

    def hand_out(self, job_id: str, caller: Caller) -> tuple[bytes, str]:
        """The result of a job of the caller, and its media type: as `result`, or, where the job is private, as `withdraw`.

        Raises:
            UnknownJob, NoResult
        """
        ...

    def withdraw(self, job_id: str) -> tuple[bytes, str]:
        """Return the result of a private job, once: with it, result and payload are gone.

        Raises:
            UnknownJob, NoResult: also when it was withdrawn before.
        """
        ...

    def file(self, job_id: str, name: str) -> bytes: ...

    def link(self, job_id: str, name: str, seconds: int) -> str | None:
        """Return an address at which the store of large values gives a file itself for some time; None where only the server can."""
        ...

    def files(self, job_id: str) -> tuple[str, ...]: ...

    def log(self, job_id: str) -> tuple[LogLine, ...]: ...

    def cancel(self, job_id: str, caller: Caller) -> Job:
        """Ask for the end of a job: at once where nothing runs, else by way of `cancelling`.

        Raises:
            UnknownJob, IllegalTransition: it is final already.
        """
        ...

    def delete(self, job_id: str, caller: Caller, *, waiting: bool = False) -> None:
        """Forget a final job, its payload and its result; with ``waiting`` also one that waits, which then never runs.

        Raises:
            UnknownJob, WrongState: it is not final, and does not wait.
        """
        ...

    def attach(self, job_id: str, name: str, value: bytes) -> None:
        """Keep a file beside a job that is not final; the last one of a name stands.

        Raises:
            UnknownJob
            WrongState: it is final.
        """
        ...

    def describe(self, job_id: str, request: Mapping[str, Any]) -> None:
        """Replace what a family echoes of a job.

        Raises:
            UnknownJob
        """
        ...

    def set_tags(self, job_id: str, caller: Caller, tags: Sequence[str]) -> Job: ...

    def tags(self, account: str, prefix: str = "") -> tuple[str, ...]:
        """Return the tags of an account's jobs that begin so, each once, in order."""
        ...

    def run_seconds(self, instance: str, since: datetime) -> float:
        """Return for how many seconds the jobs of an instance that were sent since then kept devices busy."""
        ...

    def pending(self, device: str | None = None) -> Mapping[str, int]:
        """Return how many jobs wait or run, by device."""
        ...

    def position(self, job_id: str) -> int | None:
        """Return how many jobs are before a job in the queue of the device; None when the job no longer waits."""
        ...

    def expected_end(self, job_id: str) -> datetime | None:
        """When it will have run, if it starts when `expected_start` says; None where nobody knows.

        Raises:
            UnknownJob
        """
        ...

    def due(self, job_id: str) -> datetime | None:
        """When, by the clock of the cloud, the next thing happens that a job waits for; None where it waits for none.

        Raises:
            UnknownJob
        """
        ...

    def movement(self) -> Movement:
        """Return what jobs at devices do now."""
        ...

    def expected_start(self, job_id: str) -> datetime | None:
        """When it will run, judging by its position and the last runs on its device.

        None when it no longer waits, or nobody knows: its device is paused, or has an engine of its own.
        """
        ...

    def settled(self, job_ids: Collection[str]) -> frozenset[str]:
        """Return the jobs for which waiting is over: final, unknown, not yet queued, or run by somebody else's engine."""
        ...


class Workloads(Protocol):
    """Sessions and single jobs in one list, and what they used."""

    def find(self, query: WorkloadQuery) -> WorkloadPage: ...

    def activity(
        self, instances: Collection[str], job_kinds: Collection[str], start: datetime, end: datetime
    ) -> Mapping[Scope, Activity]:
        """Sum up what was sent from ``start`` until before ``end`` for these instances, by device, instance, account and day."""
        ...


class Settled(Protocol):
    """Waiting for jobs to be final, without polling."""

    async def wait(self, job_id: str, seconds: float | None = None) -> bool:
        """Return when the job is final (True) or after the hold (False); ``seconds`` None means the setting."""
        ...
