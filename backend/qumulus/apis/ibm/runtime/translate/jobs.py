"""Jobs, from the service's words to the core's and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from pydantic import MISSING

from qumulus.apis.given import given
from qumulus.apis.ibm import names
from qumulus.apis.ibm.runtime import programs
from qumulus.apis.ibm.runtime.changes import Behaviour, Change
from qumulus.apis.ibm.runtime.schemas.job import (
    Billed,
    JobMetrics,
    JobResponse,
    Program,
    RunJobRequest,
    RunJobResponse,
    State,
    StateName,
    Status,
    Timestamps,
    Usage,
    UsageStatus,
)
from qumulus.core.accounts import Caller
from qumulus.core.devices import DRY_RUN, STANDS_FOR
from qumulus.core.jobs import FINAL, PENDING, Job, JobState, NewJob
from qumulus.core.ports import Catalogue, JobQuery
from qumulus.core.results import Failure
from qumulus.payloads.primitives import PrimitiveInput
from qumulus.payloads.runtime_errors import (
    FAILED_AT_BACKEND,
    INTERNAL,
    INVALID,
    RAN_TOO_LONG,
    REGISTRY,
    SESSION_CLOSED,
)

API = "ibm/runtime"
LONGEST = 10_800  # seconds that a job may have its device if it does not say

STATES: Mapping[JobState, StateName] = {
    JobState.REGISTERED: StateName.QUEUED,
    JobState.QUEUED: StateName.QUEUED,
    JobState.CLAIMED: StateName.QUEUED,
    JobState.RUNNING: StateName.RUNNING,
    JobState.CANCELLING: StateName.RUNNING,
    JobState.SUCCEEDED: StateName.COMPLETED,
    JobState.FAILED: StateName.FAILED,
    JobState.CANCELLED: StateName.CANCELLED,
}

CODES: Mapping[Failure, int] = {  # of the registry of error codes, where the program names none
    Failure.PROGRAM: INVALID,
    Failure.REFUSED: INVALID,
    Failure.TIME: RAN_TOO_LONG,
    Failure.MEMORY: FAILED_AT_BACKEND,
    Failure.CRASHED: FAILED_AT_BACKEND,
    Failure.LOST: FAILED_AT_BACKEND,
    Failure.INTERNAL: INTERNAL,
}


def query(
    caller: Caller,
    *,
    hidden: frozenset[str],
    program: str | None,
    backend: str | None,
    pending: bool | None,
    created: tuple[datetime | None, datetime | None],
    newest_first: bool,
    tags: Sequence[str] | None,
    session: str | None,
    page: tuple[int, int],
) -> JobQuery:
    """Return what a list asks for, without jobs on devices that are ``hidden``; ``page`` is an offset and a limit."""
    after, before = created
    offset, limit = page
    return JobQuery(
        account=caller.account,
        instance=caller.instance,
        kinds=programs.kinds(program),
        states={None: None, True: PENDING, False: FINAL}[pending],
        device=None if backend is None else names.core_or_unknown(backend),
        without_devices=hidden,
        created_after=after,
        created_before=before,
        descending=newest_first,
        tags=tuple(tags or ()),
        session=session,
        limit=limit,
        offset=offset,
    )


def new(body: RunJobRequest, caller: Caller, devices: Catalogue) -> NewJob:
    """A job as the core takes it; its inputs stay as they came.

    Raises:
        UnknownProgram, UnknownDevice, UnknownCalibration
    """
    kind = programs.kind(body.program_id)
    device = names.device(devices, body.backend)
    calibration = None
    if body.calibration_id is not MISSING:
        calibration = names.calibration_id(devices, device, calibration_id=body.calibration_id)
    request: dict[str, Any] = {"runtime": given(body.runtime) or "default", "max_execution_time": LONGEST}
    if body.cost is not MISSING:
        request["max_execution_time"] = body.cost
    if body.dry_run is True or device.stands_for is not None:
        request[DRY_RUN] = True
    if device.stands_for is not None:
        request[STANDS_FOR] = device.stands_for
    return NewJob(
        account=caller.account,
        instance=caller.instance,
        device=device.name,
        kind=kind.name,
        api=API,
        payload=kind.encode(PrimitiveInput(body.backend, body.params)),
        tags=tuple(dict.fromkeys(given(body.tags) or ())),
        session=given(body.session_id),
        calibration=calibration,
        private=body.private is True,
        request=request,
    )


def taken(job: Job) -> RunJobResponse:
    """The answer to a job that was taken."""
    return RunJobResponse(
        id=job.id,
        backend=names.to_wire(job.device),
        session_id=job.session or MISSING,
        private=job.private or MISSING,
        calibration_id=job.calibration or MISSING,
    )


def job(job: Job, version: Behaviour, payload: bytes | None) -> JobResponse:
    """A job as people see it; without ``payload`` its inputs are left out, as always those of a private one."""
    state = _state(job)
    return JobResponse(
        id=job.id,
        backend=names.to_wire(job.device),
        state=state,
        status=Status("Cancelled - Ran too long" if state.reason_code == RAN_TOO_LONG else state.status),
        params=MISSING if payload is None or job.private else PrimitiveInput.decode(payload).params,
        program=Program(id=programs.name(job.kind)),
        created=job.created_at,
        ended=job.ended_at or MISSING,
        runtime=job.request.get("runtime", "default"),
        cost=int(job.request.get("max_execution_time") or job.max_seconds or LONGEST),
        tags=list(job.tags),
        session_id=job.session or MISSING,
        user_id=job.account,
        usage=usage(job, version),
        private=job.private or MISSING,
        estimated_running_time_seconds=MISSING if job.expected_seconds is None else job.expected_seconds,
        calibration_id=job.calibration or MISSING,
    )


def _state(job: Job) -> State:
    if job.failure is None:
        return State(status=STATES[job.state], reason=job.reason or MISSING)
    code = job.reason_code or CODES[job.failure]
    if code == RAN_TOO_LONG and job.running_at is None:  # the time of its session was over before it ran
        code = SESSION_CLOSED
    known = REGISTRY.get(code)
    return State(
        status=StateName.CANCELLED if code == RAN_TOO_LONG else STATES[job.state],
        reason=job.reason or MISSING,
        reason_code=code,
        reason_solution=known.solution if known else MISSING,
    )


def usage(job: Job, version: Behaviour, *, in_metrics: bool = False) -> Usage:
    """What a job used of its device, in the words of a version; before 2026-03-15 in whole seconds, as they were billed."""
    seconds = _seconds(job)
    if not version.has(Change.CHARGED_SECONDS):
        return Usage(seconds=ceil(seconds), quantum_seconds=ceil(seconds) if in_metrics else MISSING)
    apart = version.has(Change.EXECUTION_TIME_APART)
    return Usage(
        status=UsageStatus.COMPLETE if job.final else UsageStatus.PENDING,
        qpu_charge_time_seconds=seconds,
        circuits_execution_time_ns=MISSING if apart else _nanoseconds(job),
    )


def _seconds(job: Job) -> float:
    """The seconds that a job had its device; of a dry run, those that it would have had it."""
    return float(job.metadata.get("would_use", job.run_seconds or 0.0))


def _nanoseconds(job: Job) -> int | MISSING:
    """The time of its executions, which what a service takes for a job is not part of."""
    used = job.run_seconds or 0.0
    return int(min(job.metadata.get("executing", used), used) * 1e9) if job.final else MISSING


def metrics(
    job: Job, version: Behaviour, position: int | None, expected_start: datetime | None, expected_end: datetime | None
) -> JobMetrics:
    """What is measured of a job, in the words of a version."""
    billed = not version.has(Change.CHARGED_SECONDS)
    measured = job.metadata.get("circuits", {})
    return JobMetrics(
        timestamps=Timestamps(
            created=job.created_at, running=job.running_at or MISSING, finished=job.ended_at or MISSING
        ),
        usage=usage(job, version, in_metrics=True),
        bss=Billed(seconds=ceil(job.run_seconds or 0.0)) if billed else MISSING,
        executions=measured.get("executions", MISSING),
        num_circuits=measured.get("number", MISSING),
        num_qubits=measured.get("qubits", MISSING),
        circuit_depths=measured.get("depths", MISSING),
        circuits_execution_time_ns=_nanoseconds(job) if version.has(Change.EXECUTION_TIME_APART) else MISSING,
        qiskit_version=job.metadata.get("qiskit", MISSING),
        estimated_start_time=expected_start or MISSING,
        estimated_completion_time=expected_end or MISSING,
        position_in_queue=MISSING if position is None else position + 1,
    )
