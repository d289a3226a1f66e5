"""Workloads: what people sent, a session with all its jobs counting as one; and what it used, summed up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from .jobs import Job, JobState
from .results import Failure
from .sessions import Session, SessionMode, SessionState


class WorkloadKind(StrEnum):
    """A job that belongs to no session, or a session by its mode."""

    JOB = "job"
    DEDICATED = "dedicated"
    BATCH = "batch"


class WorkloadStatus(StrEnum):
    """What a workload is doing."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


JOB_STATUS = {
    JobState.REGISTERED: WorkloadStatus.PENDING,
    JobState.QUEUED: WorkloadStatus.PENDING,
    JobState.CLAIMED: WorkloadStatus.PENDING,
    JobState.RUNNING: WorkloadStatus.RUNNING,
    JobState.CANCELLING: WorkloadStatus.RUNNING,
    JobState.SUCCEEDED: WorkloadStatus.COMPLETED,
    JobState.FAILED: WorkloadStatus.FAILED,
    JobState.CANCELLED: WorkloadStatus.CANCELLED,
}
SESSION_STATUS = {
    SessionState.OPEN: WorkloadStatus.PENDING,
    SessionState.ACTIVE: WorkloadStatus.RUNNING,
    SessionState.INACTIVE: WorkloadStatus.RUNNING,
    SessionState.CLOSED: WorkloadStatus.COMPLETED,
}
SESSION_KIND = {SessionMode.DEDICATED: WorkloadKind.DEDICATED, SessionMode.BATCH: WorkloadKind.BATCH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload as everybody sees it. Times are aware and in UTC."""

    id: str
    account: str
    device: str
    instance: str | None
    kind: WorkloadKind
    status: WorkloadStatus
    created_at: datetime
    ended_at: datetime | None
    accepts_jobs: bool | None  # None for a job
    reason: str | None
    tags: tuple[str, ...]
    run_seconds: float | None  # what it kept the device busy for; None while a job has not ended
    expected_seconds: float | None = None  # what a job will, or did, keep the device busy for, as far as it is known

    @property
    def place(self) -> Place:
        """Return the place of a workload in a list."""
        return Place(self.created_at, self.id)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a list that is ordered by the time of creation, and by id where that is the same."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadQuery:
    """Which workloads to list. Every member narrows."""

    account: str
    instance: str
    job_kinds: frozenset[str]
    device: str | None = None
    without_devices: frozenset[str] = frozenset()
    kind: WorkloadKind | None = None
    statuses: frozenset[WorkloadStatus] | None = None
    text: str | None = None  # in the id or in a tag
    tags: tuple[str, ...] = ()  # all of them
    created_after: datetime | None = None  # inclusive
    created_before: datetime | None = None  # inclusive
    descending: bool = False
    after: Place | None = None  # only what comes later in this order …
    before: Place | None = None  # … or earlier: the last ones of that
    limit: int = 10


@dataclass(frozen=True, slots=True)
class WorkloadPage:
    """A page of workloads, how many match in all, and whether there are pages before and after."""

    workloads: tuple[Workload, ...]
    total: int
    earlier: bool
    later: bool


def status_of(job: Job) -> WorkloadStatus:
    """Return what a job is doing; a job that took too long was cancelled, as a person would have done."""
    return WorkloadStatus.CANCELLED if job.failure is Failure.TIME else JOB_STATUS[job.state]


def of_job(job: Job) -> Workload:
    """Make a workload of a job that belongs to no session."""
    return Workload(
        id=job.id,
        account=job.account,
        device=job.device,
        instance=job.instance,
        kind=WorkloadKind.JOB,
        status=status_of(job),
        created_at=job.created_at,
        ended_at=job.ended_at,
        accepts_jobs=None,
        reason=job.reason,
        tags=job.tags,
        run_seconds=(job.run_seconds or 0.0) if job.final else None,
        expected_seconds=job.expected_seconds,
    )


def of_session(session: Session, now: datetime) -> Workload:
    """Make a workload of a session with all jobs in the session."""
    return Workload(
        id=session.id,
        account=session.account,
        device=session.device,
        instance=session.instance,
        kind=SESSION_KIND[session.mode],
        status=SESSION_STATUS[session.state(now)],
        created_at=session.created_at,
        ended_at=session.closed_at(now),
        accepts_jobs=session.accepts_jobs(now),
        reason=None,
        tags=(),
        run_seconds=session.run_seconds,
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """How many there were, and the seconds of all together and of the one that took most."""

    count: int = 0
    seconds: float = 0.0
    most: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.count + other.count, self.seconds + other.seconds, max(self.most, other.most))

    @property
    def mean(self) -> float:
        """Return the seconds of one on average; 0 where there is none."""
        return self.seconds / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What was done on one device, for one instance, by one account, on one day; or a sum of such."""

    jobs: Spent = field(default_factory=Spent)  # with the seconds that they kept the device busy
    alone: Spent = field(default_factory=Spent)  # those of them that belong to no session
    waiting: Spent = field(default_factory=Spent)  # those of them that have started, with the seconds until then
    dedicated: Spent = field(default_factory=Spent)  # sessions, with the seconds of their jobs
    batches: Spent = field(default_factory=Spent)

    def __add__(self, other: Activity) -> Activity:
        return Activity(
            jobs=self.jobs + other.jobs,
            alone=self.alone + other.alone,
            waiting=self.waiting + other.waiting,
            dedicated=self.dedicated + other.dedicated,
            batches=self.batches + other.batches,
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Scope:
    """What an activity belongs to."""

    instance: str
    device: str
    account: str
    day: date
