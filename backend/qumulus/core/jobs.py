"""Jobs: their states, the one table of transitions, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from .errors import IllegalTransition, WrongState
from .results import Failure


class JobState(StrEnum):
    """Where a job is in its life."""

    REGISTERED = "registered"  # has an id, its program is still being uploaded
    QUEUED = "queued"
    CLAIMED = "claimed"  # a dispatcher holds it under a lease
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobEvent(StrEnum):
    """What can happen to a job."""

    SUBMIT = "be submitted"
    CLAIM = "be claimed"
    START = "start"
    RELEASE = "be handed back"  # its worker, dispatcher or server is gone
    CANCEL = "be cancelled"  # somebody asks for it
    CONFIRM_CANCEL = "end as cancelled"  # the run has stopped
    SUCCEED = "succeed"
    FAIL = "fail"


PROGRESS = "progress"
"""The member of a job's metadata that is there as long as the run has no outcome."""

FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
PENDING = frozenset(JobState) - FINAL

_S, _E = JobState, JobEvent
TRANSITIONS: Mapping[tuple[JobState, JobEvent], JobState] = MappingProxyType(
    {
        (_S.REGISTERED, _E.SUBMIT): _S.QUEUED,
        (_S.REGISTERED, _E.CANCEL): _S.CANCELLED,
        (_S.REGISTERED, _E.FAIL): _S.FAILED,
        (_S.QUEUED, _E.CLAIM): _S.CLAIMED,
        (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
        (_S.QUEUED, _E.FAIL): _S.FAILED,
        (_S.CLAIMED, _E.START): _S.RUNNING,
        (_S.CLAIMED, _E.RELEASE): _S.QUEUED,
        (_S.CLAIMED, _E.CANCEL): _S.CANCELLED,
        (_S.CLAIMED, _E.FAIL): _S.FAILED,
        (_S.RUNNING, _E.RELEASE): _S.QUEUED,
        (_S.RUNNING, _E.CANCEL): _S.CANCELLING,
        (_S.RUNNING, _E.SUCCEED): _S.SUCCEEDED,
        (_S.RUNNING, _E.FAIL): _S.FAILED,
        (_S.CANCELLING, _E.RELEASE): _S.CANCELLED,
        (_S.CANCELLING, _E.CONFIRM_CANCEL): _S.CANCELLED,
        (_S.CANCELLING, _E.SUCCEED): _S.SUCCEEDED,
        (_S.CANCELLING, _E.FAIL): _S.FAILED,
    }
)


def after(state: JobState, event: JobEvent, job_id: str = "") -> JobState:
    """Return the state that follows ``event`` in ``state``.

    Raises:
        IllegalTransition: the table has no such step.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(job_id, state.value, event.value) from None


def states_before(event: JobEvent) -> frozenset[JobState]:
    """Return the states in which ``event`` is legal."""
    return frozenset(state for state, candidate in TRANSITIONS if candidate is event)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What a family hands in: everything that is known before the core gives an id."""

    account: str
    device: str  # the core's name of the device: the snapshot's folder, or an ideal simulator
    kind: str  # kind of program, a key of the runner's table of programs
    payload: bytes = b""  # the program as accepted; decoded only in a worker
    api: str  # where it came in, such as "oqtopus/user"
    name: str | None = None
    note: str | None = None
    shots: int | None = None
    tags: tuple[str, ...] = ()
    session: str | None = None
    instance: str | None = None
    calibration: str | None = None
    private: bool = False
    max_seconds: float | None = None  # run time that the caller allows
    idempotency_key: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)  # what the family wants to echo; JSON, opaque to the core
    attempts: int = 3  # how often a worker may die of it: three times for circuits, once for programs that users write
    registered: bool = False  # True: only an id is wanted now, the program is uploaded later
    job_id: str | None = None  # given by fixtures only


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as everybody sees it. Times are aware and in UTC."""

    id: str
    account: str
    device: str
    kind: str
    api: str
    state: JobState
    name: str | None
    note: str | None
    shots: int | None
    tags: tuple[str, ...]
    session: str | None
    instance: str | None
    calibration: str | None
    private: bool
    max_seconds: float | None
    request: Mapping[str, Any]
    created_at: datetime
    queued_at: datetime | None = None
    claimed_at: datetime | None = None
    running_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0  # the fencing token: the number of the claim that may finish the job
    put_back: int = 0  # claims that were put back before anything began
    reason: str | None = None  # why it failed or was cancelled, a whole sentence
    reason_code: int | None = None
    failure: Failure | None = None  # the kind of reason, where it failed
    run_seconds: float | None = None  # for which it had its device; see `Outcome.run_seconds`
    trace: str | None = None  # the id of the request that made it, in the log
    metadata: Mapping[str, Any] = field(default_factory=dict)  # method, engine, version, seed, approximation, timings

    @property
    def runs(self) -> int:
        """Return how often it was taken up to be run: what people are shown as its attempt."""
        return self.attempt - self.put_back

    @property
    def progress(self) -> Mapping[str, Any] | None:
        """Return how far its run is, or was when it ended without an outcome: the members of a `Progress`, with the ``time`` and ``text``
        of the line that said so; None where no run has said anything."""
        return self.metadata.get(PROGRESS)

    @property
    def expected_seconds(self) -> float | None:
        """Return how long it had its device, or will have: known once a worker has read its program, and before it runs."""
        if self.run_seconds is not None or self.progress is None:
            return self.run_seconds
        return self.progress.get("usage_seconds")

    @property
    def final(self) -> bool:
        """Say whether nothing can happen to the job any more."""
        return self.state in FINAL


REPEATED = (
    "account",
    "device",
    "kind",
    "api",
    "name",
    "note",
    "shots",
    "tags",
    "instance",
    "private",
    "max_seconds",
    "request",
)


def repeated(job: Job, payload: bytes) -> NewJob:
    """Return what submits the program of a job once more, on the calibration that is current then.

    Raises:
        WrongState: the program is not there (any more).
    """
    if not payload:
        raise WrongState(f"Job {job.id} has no program that could be run again: it is private, or was never submitted.")
    return NewJob(payload=payload, **{name: getattr(job, name) for name in REPEATED})
