"""What the core needs from outside. Each port is one Protocol; `qumulus.app` plugs the parts in.

All methods are synchronous and safe to call from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from .accounts import Account, Caller, Instance, Token
from .devices import Calibration, Device, DeviceReport, DeviceSettings
from .jobs import Job, JobState, NewJob
from .programs import Program
from .results import LogLine, Outcome
from .sessions import NewSession, Session
from .workloads import Activity, Scope, WorkloadPage, WorkloadQuery


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; leases are measured with them."""
        ...


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
    instance: str | None = None
    tags: tuple[str, ...] = ()  # all of them
    text: str | None = None  # in id, name or note
    created_after: datetime | None = None  # inclusive
    created_before: datetime | None = None  # inclusive
    queued_after: datetime | None = None
    queued_before: datetime | None = None
    descending: bool = True
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A page of jobs and how many match in all."""

    jobs: tuple[Job, ...]
    total: int


class JobStore(Protocol):
    """Jobs as people ask for them. What was acknowledged is on disk."""

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
        """Give a registered job its program and queue it.

        Raises:
            UnknownJob, IllegalTransition
        """
        ...

    def get(self, job_id: str, caller: Caller) -> Job:
        """The job, if it is the caller's.

        Raises:
            UnknownJob: also for a job of somebody else.
        """
        ...

    def look(self, job_id: str) -> Job:
        """The job, whoever owns it.

        Raises:
            UnknownJob
        """
        ...

    def find(self, query: JobQuery) -> Page: ...

    def payload(self, job_id: str) -> bytes: ...

    def result(self, job_id: str) -> tuple[bytes, str]:
        """The stored result and its media type.

        Raises:
            UnknownJob, NoResult
        """
        ...

    def withdraw(self, job_id: str) -> tuple[bytes, str]:
        """The result of a private job, once: with it, result and payload are gone.

        Raises:
            UnknownJob, NoResult: also when it was withdrawn before.
        """
        ...

    def file(self, job_id: str, name: str) -> bytes: ...

    def link(self, job_id: str, name: str, seconds: int) -> str | None:
        """An address at which the store of large values gives a file itself for some time; None where only the server can."""
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
        """The tags of an account's jobs that begin so, each once, in order."""
        ...

    def run_seconds(self, instance: str, since: datetime) -> float:
        """What the jobs of an instance that were sent since then kept devices busy for."""
        ...

    def pending(self, device: str | None = None) -> Mapping[str, int]:
        """How many jobs wait or run, by device."""
        ...

    def position(self, job_id: str) -> int | None:
        """How many jobs are before it in its device's queue; None when it no longer waits."""
        ...

    def expected_start(self, job_id: str) -> datetime | None:
        """When it will run, judging by its position and the last runs on its device.

        None when it no longer waits, or nobody knows: its device is paused, or has an engine of its own.
        """
        ...

    def settled(self, job_ids: Collection[str]) -> frozenset[str]:
        """Those for which waiting is over: final, unknown, not yet queued, or run by somebody else's engine."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job in the hands of a dispatcher. Every finish names the attempt."""

    job_id: str
    attempt: int
    program: Program
    account: str
    session: str | None = None
    counted_attempts: int = 0  # attempts that died by themselves
    attempts: int = 3  # how many may
    max_seconds: float | None = None  # what the caller allows
    queued_at: datetime | None = None
    fetched: bool = False  # by the engine of its device, which may outlive this machine


class JobQueue(Protocol):
    """Jobs as a dispatcher takes them."""

    def claim(
        self, owner: str, count: int, lease: timedelta, *, devices: Callable[[str], bool] | None = None
    ) -> list[Claim]:
        """Take up to ``count`` jobs that may run now, of the devices that ``devices`` is true for, or of all."""
        ...

    def start(self, claim: Claim) -> bool:
        """Mark as running; False when the claim is no longer ours."""
        ...

    def heartbeat(self, owner: str, claims: Iterable[Claim], lease: timedelta) -> list[Claim]:
        """Renew the leases and return the claims whose run must stop: cancelled, or no longer ours."""
        ...

    def finish(self, claim: Claim, outcome: Outcome, log: Sequence[LogLine] = ()) -> bool:
        """Store result and final state in one transaction; False when the attempt is no longer ours."""
        ...

    def release(self, claim: Claim, *, counted: bool, reason: str) -> JobState | None:
        """Hand a job back, or end it where it was to be cancelled or has had all its attempts.

        ``counted`` says whether the attempt counts against it. Returns the state that it is in now; None when the attempt is
        no longer ours.
        """
        ...

    def log(self, claim: Claim, lines: Sequence[LogLine]) -> None:
        """Keep what a run has written until now."""
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
        """The claim of a job that was fetched, for the engine that now reports on it.

        Raises:
            UnknownJob: nobody has fetched it, or it is final.
        """
        ...


class BlobStore(Protocol):
    """Large values by key. A value is synced to disk before `put` returns."""

    def put(self, key: str, value: bytes) -> None: ...

    def get(self, key: str) -> bytes: ...

    def delete(self, key: str) -> None: ...

    def keys(self, prefix: str = "") -> Iterable[str]: ...

    def old(self, age: timedelta) -> Iterable[str]:
        """The keys of values that were stored so long ago."""
        ...

    def link(self, key: str, name: str, media_type: str, seconds: int) -> str | None:
        """An address at which the store itself gives a value for some time; None where only the server can."""
        ...


Document = Literal["configuration", "properties", "defaults"]


class Catalogue(Protocol):
    """The devices and their calibrations, as data."""

    def devices(self) -> tuple[Device, ...]: ...

    def mocks(self) -> tuple[Device, ...]:
        """Devices that exist for tests, which `devices` leaves out."""
        ...

    def device(self, name: str) -> Device:
        """By the core's name, in any case.

        Raises:
            UnknownDevice
        """
        ...

    def calibration(
        self, device: str, *, calibration_id: str | None = None, before: datetime | None = None
    ) -> Calibration:
        """The newest calibration, the one with that id, or the newest not after ``before`` (the oldest if all are after).

        Raises:
            UnknownDevice, UnknownCalibration
        """
        ...

    def calibration_id(self, device: str, *, calibration_id: str | None = None, before: datetime | None = None) -> str:
        """The id of the calibration that `calibration` gives; its document is not read.

        Raises:
            UnknownDevice, UnknownCalibration
        """
        ...

    def configuration(self, device: str, *, fractional_gates: bool = False) -> Mapping[str, Any]:
        """The snapshot's configuration document, with the snapshot's own names replaced.

        ``fractional_gates`` adds rx and rzz where the processor has them; without it, a transpiler keeps to the snapshot.

        Raises:
            UnknownDevice
        """
        ...


class Sessions(Protocol):
    """Sessions and batches. A session takes jobs until it is closed, is idle for too long or has lived too long."""

    def open(self, new: NewSession) -> Session: ...

    def get(self, session_id: str, caller: Caller) -> Session:
        """The session, if it is the caller's.

        Raises:
            UnknownSession: also for a session of somebody else.
        """
        ...

    def close(self, session_id: str, caller: Caller) -> Session:
        """Take no more jobs; those that wait or run still end. Closing a closed one changes nothing.

        Raises:
            UnknownSession
        """
        ...

    def cancel(self, session_id: str, caller: Caller) -> Session:
        """Take no more jobs and cancel those that are not final.

        Raises:
            UnknownSession
        """
        ...


class Workloads(Protocol):
    """Sessions and single jobs in one list, and what they used."""

    def find(self, query: WorkloadQuery) -> WorkloadPage: ...

    def activity(
        self, instances: Collection[str], job_kinds: Collection[str], start: datetime, end: datetime
    ) -> Mapping[Scope, Activity]:
        """What was sent from ``start`` until before ``end`` for these instances, by device, instance, account and day."""
        ...


class Accounts(Protocol):
    """Accounts, their instances and their credentials."""

    def authenticate(self, scheme: str, secret: str) -> Caller:
        """Who sends this credential; under `--auth open` any non-empty one is the default account's.

        Raises:
            NotAuthenticated: it is unknown, revoked or expired. The text does not repeat it.
        """
        ...

    def accounts(self) -> tuple[Account, ...]: ...

    def add_account(self, account: Account) -> None:
        """Make an account.

        Raises:
            WrongState: there is one with that id.
        """
        ...

    def instances(self, account: str) -> tuple[Instance, ...]: ...

    def add_instance(self, instance: Instance) -> None:
        """Make an instance.

        Raises:
            NotFound: there is no such account.
            WrongState: there is one with that name or CRN.
        """
        ...

    def remove_instance(self, name: str) -> None:
        """Forget an instance; its jobs stay.

        Raises:
            NotFound
            NotAllowed: it is built in.
        """
        ...

    def instance(self, name_or_crn: str) -> Instance | None: ...

    def set_limit(self, crn: str, seconds: float | None) -> None:
        """How many seconds of devices an instance may use; None takes the limit away."""
        ...

    def tokens(self, account: str) -> tuple[Token, ...]: ...

    def add_token(self, account: str, scheme: str, secret: str, *, expires_at: datetime | None = None) -> Token:
        """Let another credential in. The same one again stays the same.

        Raises:
            NotFound: there is no such account.
            NotAllowed: it is another account's.
        """
        ...

    def revoke_token(self, token_id: str) -> None:
        """Forget a credential.

        Raises:
            NotAllowed: it is built in.
        """
        ...


class DeviceRules(Protocol):
    """What is set for a device."""

    def settings(self, device: str) -> DeviceSettings: ...


class DeviceBoard(DeviceRules, Protocol):
    """What an administrator, or a device's engine, says of a device."""

    def set(self, device: str, settings: DeviceSettings) -> None: ...

    def report(self, device: str) -> DeviceReport: ...

    def set_report(self, device: str, report: DeviceReport) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much a reset removed."""

    jobs: int
    sessions: int
    tokens: int


class State(Protocol):
    """All that the cloud remembers."""

    def reset(self) -> Forgotten:
        """Forget all jobs, sessions, added credentials and settings of devices; what runs is ended."""
        ...


class Settled(Protocol):
    """Waiting for jobs to be final, without polling."""

    async def wait(self, job_id: str, seconds: float | None = None) -> bool:
        """Return when the job is final (True) or after the hold (False); ``seconds`` None means the setting."""
        ...
