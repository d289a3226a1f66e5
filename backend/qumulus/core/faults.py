"""Faults: what goes wrong because somebody wants to see it, by rules that say what, for whom, when and how often."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from .devices import DeviceSettings
from .errors import InvalidRequest
from .jobs import Job
from .results import Failure, LogLine, Outcome, Severity


class FaultKind(StrEnum):
    """What goes wrong."""

    ERROR = "error"  # an error of any status, in the form of the API
    SLOW = "slow"
    CUT = "cut"  # half of the answer, then the end of the connection
    GARBLED = "garbled"  # an answer of the right length whose second half is no text
    RESET = "reset"  # no answer at all
    REFUSED = "refused"  # no connection at all: the server does not listen
    PAGE = "page"  # a page of a proxy, with status 200 unless another one is named
    NOT_AUTHENTICATED = "not-authenticated"  # a credential that expired, or was revoked, after it was let in
    LIMIT_REACHED = "limit-reached"  # nothing more may be submitted
    NO_RESULT = "no-result"  # a result can't be fetched yet
    # Of jobs, when a dispatcher takes them.
    JOB_FAILS = "job-fails"
    JOB_FAILS_AT_END = "job-fails-at-end"  # it runs, and what it has until then is kept
    JOB_RUNS_TOO_LONG = "job-runs-too-long"
    JOB_STAYS_QUEUED = "job-stays-queued"  # until the fault is over
    WORKER_LOST = "worker-lost"  # the process that runs it is killed
    PROVIDER_SILENT = "provider-silent"  # it is said to run, and nothing more is heard of it until the fault is over
    # Of devices, as long as they are in force.
    DEVICE_PAUSED = "device-paused"
    DEVICE_IN_MAINTENANCE = "device-in-maintenance"
    DEVICE_RETIRED = "device-retired"  # nobody finds it any more
    DEVICE_BROKEN = "device-broken"  # some of its qubits or gates are


TAKES: Mapping[FaultKind, frozenset[str]] = MappingProxyType(
    {
        FaultKind.ERROR: frozenset({"status", "message", "retry_after", "code"}),
        FaultKind.SLOW: frozenset({"seconds"}),
        FaultKind.CUT: frozenset(),
        FaultKind.GARBLED: frozenset(),
        FaultKind.RESET: frozenset(),
        FaultKind.REFUSED: frozenset(),
        FaultKind.PAGE: frozenset({"status", "message"}),
        FaultKind.NOT_AUTHENTICATED: frozenset({"message"}),
        FaultKind.LIMIT_REACHED: frozenset({"message"}),
        FaultKind.NO_RESULT: frozenset(),
        FaultKind.JOB_FAILS: frozenset({"message", "code"}),
        FaultKind.JOB_FAILS_AT_END: frozenset({"message", "code"}),
        FaultKind.JOB_RUNS_TOO_LONG: frozenset({"message"}),
        FaultKind.JOB_STAYS_QUEUED: frozenset(),
        FaultKind.WORKER_LOST: frozenset(),
        FaultKind.PROVIDER_SILENT: frozenset(),
        FaultKind.DEVICE_PAUSED: frozenset({"message"}),
        FaultKind.DEVICE_IN_MAINTENANCE: frozenset({"message"}),
        FaultKind.DEVICE_RETIRED: frozenset(),
        FaultKind.DEVICE_BROKEN: frozenset({"qubits", "gates"}),
    }
)
"""The members that say how a kind goes wrong, beside those that every rule may have."""


OF_JOBS = frozenset(
    {
        FaultKind.JOB_FAILS,
        FaultKind.JOB_FAILS_AT_END,
        FaultKind.JOB_RUNS_TOO_LONG,
        FaultKind.JOB_STAYS_QUEUED,
        FaultKind.WORKER_LOST,
        FaultKind.PROVIDER_SILENT,
    }
)
KEEPING = frozenset({FaultKind.JOB_STAYS_QUEUED, FaultKind.PROVIDER_SILENT})  # jobs, until the fault is over
OFFLINE: Mapping[FaultKind, str] = MappingProxyType(
    {
        FaultKind.DEVICE_PAUSED: "It is paused, by a fault of the emulator.",
        FaultKind.DEVICE_IN_MAINTENANCE: "It is in maintenance, by a fault of the emulator.",
        FaultKind.DEVICE_RETIRED: "It was retired, by a fault of the emulator.",
    }
)
OF_DEVICES = frozenset({*OFFLINE, FaultKind.DEVICE_BROKEN})
NARROWING = (
    "operation",
    "purpose",
    "account",
    "tag",
    "nth",
    "passes",
    "probability",
    "times",
)  # not where a device is meant


class Purpose(StrEnum):
    """What an operation is there for, in whatever API."""

    SUBMIT = "submit"  # jobs
    RESULT = "result"  # fetch one
    TOKEN = "token"  # noqa: S105  get one


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGate:
    """A gate of a device on some of its qubits, in whatever order."""

    gate: str
    qubits: tuple[int, ...]

    def is_on(self, gate: str, qubits: Iterable[int]) -> bool:
        """Say whether it is that gate on those qubits."""
        return self.gate == gate and set(self.qubits) == set(qubits)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A rule. What is None does not narrow it."""

    kind: FaultKind
    note: str | None = None
    api: str | None = None  # such as "ibm/runtime", or a whole family
    operation: str | None = None  # its operationId
    purpose: Purpose | None = None
    device: str | None = None  # the core's name
    account: str | None = None
    tag: str | None = None
    nth: int | None = None
    passes: int | None = None
    probability: float | None = None
    seed: int | None = None
    times: int | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    dry_run: bool = False
    status: int | None = None
    message: str | None = None
    retry_after: int | None = None
    seconds: float | None = None
    code: int | None = None  # of the cloud's registry of errors
    qubits: tuple[int, ...] | None = None  # of the device
    gates: tuple[BrokenGate, ...] | None = None

    def in_force(self, now: datetime) -> bool:
        """Say whether the rule acts at a time."""
        return (self.begins_at is None or self.begins_at <= now) and (self.ends_at is None or now < self.ends_at)

    def is_for_api(self, api: str) -> bool:
        """Say whether the rule is for an API, such as "ibm/runtime"."""
        return self.api is None or api == self.api or api.startswith(f"{self.api}/")

    def is_for_request(self, *, operation: str, purpose: Purpose | None, account: str | None) -> bool:
        """Say whether the rule is for an operation that an account calls, as far as these say."""
        wanted = PURPOSES.get(self.kind, self.purpose)
        return self.operation in (None, operation) and wanted in (None, purpose) and self.account in (None, account)

    def is_for_job(self, job: Job) -> bool:
        """Say whether the rule is for a job."""
        return (
            self.is_for_api(job.api)
            and self.device in (None, job.device)
            and self.account in (None, job.account)
            and (self.tag is None or self.tag in job.tags)
        )

    def strikes(self, seen: int, hits: int) -> bool:
        """Say whether the ``seen``-th of those that the rule is for is hit, after so many ``hits``."""
        if self.nth is not None and seen != self.nth:
            return False
        if self.passes is not None and seen <= self.passes:
            return False
        if self.times is not None and hits >= self.times:
            return False
        return self.probability is None or chance(self.seed or 0, seen) < self.probability


PURPOSES: Mapping[FaultKind, Purpose] = MappingProxyType(
    {FaultKind.LIMIT_REACHED: Purpose.SUBMIT, FaultKind.NO_RESULT: Purpose.RESULT}
)
"""The kinds that are for requests of one purpose only."""

PARAMETERS = frozenset().union(*TAKES.values())
DEFAULTS: Mapping[str, object] = MappingProxyType({each.name: each.default for each in fields(FaultRule)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule that was made, and what became of it."""

    id: str
    created_at: datetime
    rule: FaultRule
    seen: int = 0
    hits: int = 0

    @property
    def record(self) -> Mapping[str, str]:
        """Return what the record of a job says of it."""
        return {"fault": self.id, "kind": self.rule.kind.value}

    def said(self, what: str) -> str:
        """Return the message of the rule, or else the sentence that ``what`` begins, such as "This failure"."""
        return self.rule.message or f"{what} was {self.told}."

    @property
    def told(self) -> str:
        """Return what people are told where it has hit: nobody may take it for a real one."""
        return f"injected by the fault {self.id} ({self.rule.kind})"


def instead(fault: Fault) -> Outcome | None:
    """Return the outcome of a job that is not run because of a fault; None where it is run."""
    rule = fault.rule
    if rule.kind is FaultKind.JOB_FAILS:
        return Outcome(failure=Failure.PROGRAM, reason=fault.said("This failure"), reason_code=rule.code)
    if rule.kind is FaultKind.JOB_RUNS_TOO_LONG:
        return Outcome(failure=Failure.TIME, reason=fault.said("It ran for too long: this"))
    return None


def marked(fault: Fault, outcome: Outcome) -> Outcome:
    """Return what becomes of the outcome of a run that a fault is for: it fails where it is to fail at its end, and says why."""
    metadata = {**outcome.metadata, "injected": fault.record}
    if fault.rule.kind is not FaultKind.JOB_FAILS_AT_END or outcome.failure is not None:
        return replace(outcome, metadata=metadata)
    reason, code = fault.said("This failure"), fault.rule.code
    return replace(outcome, metadata=metadata, failure=Failure.PROGRAM, reason=reason, reason_code=code)


def line(fault: Fault, now: datetime) -> LogLine:
    """Return what the log of a job says of a fault."""
    what = "That its device is broken" if fault.rule.kind in OF_DEVICES else "What happens to this job"
    return LogLine(now, f"{what} is {fault.told}.", Severity.NOTICE)


def overlaid(settings: DeviceSettings, rules: Iterable[FaultRule]) -> DeviceSettings:
    """Return the settings of a device under the rules that are in force for it."""
    for rule in rules:
        if rule.kind in OFFLINE:
            settings = replace(settings, online=False, message=rule.message or OFFLINE[rule.kind])
    return settings


def chance(seed: int, number: int) -> float:
    """Return a number of [0, 1) that looks drawn and is the same every time, for the ``number``-th of a sequence."""
    drawn = hashlib.sha256(f"{seed}:{number}".encode()).digest()[:8]
    return int.from_bytes(drawn) / (1 << 64)


def check(rule: FaultRule, apis: Mapping[str, Collection[str]]) -> None:
    """See that a rule says something that can be done; ``apis`` are the operations by API.

    Raises:
        InvalidRequest
    """
    given = {name for name in PARAMETERS if getattr(rule, name) is not None}
    if not given <= TAKES[rule.kind]:
        extra, own = ", ".join(sorted(given - TAKES[rule.kind])), ", ".join(sorted(TAKES[rule.kind]))
        raise InvalidRequest(f"A fault of the kind {rule.kind} takes {own or 'no further members'}: leave out {extra}.")
    _check_narrowing(rule)
    if rule.begins_at is not None and rule.ends_at is not None and rule.ends_at <= rule.begins_at:
        raise InvalidRequest("The fault ends before it begins: give it a later end.")
    named = {api: operations for api, operations in apis.items() if rule.is_for_api(api)}
    if not named:
        raise InvalidRequest(f"There is no API {rule.api}: name one of {', '.join(sorted(apis))}, or a cloud.")
    if rule.operation is not None and not any(rule.operation in operations for operations in named.values()):
        where = f" of {rule.api}" if rule.api else ""
        raise InvalidRequest(f"No operation{where} is called {rule.operation}: the documents at /docs have the names.")


def _check_narrowing(rule: FaultRule) -> None:
    if rule.kind in OF_JOBS and (rule.operation is not None or rule.purpose is not None):
        raise InvalidRequest(f"A fault of the kind {rule.kind} is for jobs: leave out operation and purpose.")
    if rule.kind in PURPOSES and rule.purpose is not None:
        raise InvalidRequest(f"A fault of the kind {rule.kind} has its purpose: leave that out.")
    if rule.kind is FaultKind.REFUSED:
        given = [name for name in (*NARROWING, "api", "device") if getattr(rule, name) is not None]
        if extra := ", ".join([*given, *(["dry_run"] if rule.dry_run else [])]):
            raise InvalidRequest(
                f"A fault of the kind {rule.kind} is for the whole server, and nobody hears of what it refuses: leave out {extra}."
            )
    if rule.kind not in OF_DEVICES:
        return
    if rule.device is None:
        raise InvalidRequest(f"A fault of the kind {rule.kind} is for a device: name it.")
    if extra := ", ".join(name for name in (*NARROWING, "api") if getattr(rule, name) is not None):
        raise InvalidRequest(f"A fault of the kind {rule.kind} is for all who use its device: leave out {extra}.")
    if rule.kind is FaultKind.DEVICE_BROKEN and not (rule.qubits or rule.gates):
        raise InvalidRequest(f"A fault of the kind {rule.kind} is for some qubits or gates: name them.")
