"""The core's jobs and those of the quantum API."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from qumulus.apis.given import given, said
from qumulus.apis.planqk.quantum import ibm
from qumulus.apis.planqk.quantum.formats import Done
from qumulus.apis.planqk.quantum.known import Known, backend
from qumulus.apis.planqk.quantum.schemas import job as wire
from qumulus.core.accounts import Caller
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.ports import Page
from qumulus.payloads import CIRCUITS
from qumulus.payloads.circuits import CircuitsInput
from qumulus.payloads.primitives import PrimitiveInput

API = "planqk/quantum"
MOST_CAPTURED = 1 << 18  # bytes of circuits that are kept beside an input
STATUSES: Mapping[JobState, wire.Status] = {
    JobState.REGISTERED: wire.Status.PENDING,
    JobState.QUEUED: wire.Status.PENDING,
    JobState.CLAIMED: wire.Status.PENDING,
    JobState.RUNNING: wire.Status.RUNNING,
    JobState.CANCELLING: wire.Status.CANCELLING,
    JobState.SUCCEEDED: wire.Status.COMPLETED,
    JobState.FAILED: wire.Status.FAILED,
    JobState.CANCELLED: wire.Status.CANCELLED,
}


def new_job(body: wire.JobRequest, caller: Caller, execution: str | None = None) -> NewJob:
    """The job that is asked for. Its input is read by the worker: one that is wrong makes a job that fails.

    ``execution`` is the service execution whose program sends it; it stands for the job's instance.

    Raises:
        UnknownDevice: there is no such backend.
        InvalidRequest: it names no program that an IBM backend runs.
    """
    known = backend(body.backend_id)
    parameters = given(body.input_params) or {}
    session = given(body.session_id)
    kind, payload = _program(body, known, parameters)
    return NewJob(
        account=caller.account,
        device=known.device,
        kind=kind,
        api=API,
        payload=payload,
        name=given(body.name),
        shots=given(body.shots) or 1,
        tags=tuple(given(body.tags) or ()),
        session=session,
        instance=execution,
        request={
            "backend": known.id,
            "parameters": {**known.format.parameters(body.input, parameters), **_repeated(session)},
            "sdk": given(body.sdk_provider),
            "max_execution_time": None if known.simulator else ibm.seconds(parameters),
            **_captured(given(body.qasm)),
        },
    )


def _captured(qasm: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The circuits that a client sends beside an input that only it can read, for those who look at the job later."""
    return {"qasm": qasm} if qasm and len(to_json(qasm)) <= MOST_CAPTURED else {}


def _repeated(session: str | None) -> Mapping[str, Any]:
    """The older client looks for the session of a job among its parameters."""
    return {} if session is None else {"session_id": session}


def _program(body: wire.JobRequest, known: Known, parameters: Mapping[str, Any]) -> tuple[str, bytes]:
    """The name of the kind of program, and the payload.

    Raises:
        InvalidRequest: it names no program that an IBM backend runs.
    """
    if not known.simulator:
        kind = ibm.kind(parameters)
        return kind.name, kind.encode(PrimitiveInput(known.device_name, body.input))
    format_ = known.format.name if given(body.input_format) in (None, known.format.name) else None
    circuits = CircuitsInput(format=format_, input=body.input, parameters=parameters, most=known.circuits)
    return CIRCUITS.name, CIRCUITS.encode(circuits)


def job(job: Job) -> wire.Job:
    """A job."""
    known = backend(job.request["backend"])
    sdk = job.request.get("sdk")
    used = job.run_seconds if job.final else None
    return wire.Job(
        id=job.id,
        backend_id=known.id,
        provider=known.provider,
        provider_job_id=job.id,
        name=said(job.name),
        status=STATUSES[job.state],
        shots=job.shots or 1,
        tags=list(job.tags),
        input_format=wire.InputFormat(known.format.name),
        input_params=wire.Parameters.model_validate(job.request["parameters"]),
        sdk_provider=said(sdk),
        session_id=said(job.session),
        usage_time_millis=said(None if used is None else round(used * 1000)),
        usage_time_state=_usage_state(job, used),
        created_at=time(job.created_at),
        started_at=said(None if job.running_at is None else time(job.running_at)),
        ended_at=said(None if job.ended_at is None else time(job.ended_at)),
    )


def _usage_state(job: Job, used: float | None) -> wire.UsageState:
    if not job.final:
        return wire.UsageState.PENDING
    return wire.UsageState.NOT_MEASURABLE if used is None else wire.UsageState.MEASURED


def time(at: datetime) -> str:
    """A time as the clients read it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def descending(sort: Sequence[wire.SortEnum] | None) -> bool:
    """Whether the newest is first: what is not sorted otherwise is so."""
    return not sort or sort[0] is wire.SortEnum.CREATED_AT_DESC


def job_page(page: Page, number: int, size: int) -> wire.JobPage:
    """A page of jobs."""
    pages = -(-page.total // size)
    return wire.JobPage(
        content=[job(each) for each in page.jobs],
        page=number,
        size=size,
        total_elements=page.total,
        total_pages=pages,
        last=number + 1 >= pages,
    )


def result(job: Job, payload: bytes, stored: bytes, *, newer: bool) -> bytes:
    """The result in the form of the backend's provider; ``newer`` says which client reads it."""
    known = backend(job.request["backend"])
    if not known.simulator:
        return stored
    done = Done(
        job_id=job.id,
        device=known.device_name,
        circuits=json.loads(stored)["circuits"],
        shots=job.shots or 1,
        given=CIRCUITS.decode(payload).input,
        parameters=job.request["parameters"],
        newer=newer,
    )
    return to_json(known.format.write(done))


def failure(job: Job) -> Mapping[str, Any]:
    """Why there is no result: the envelope of all providers, and beside it what IBM's client looks for."""
    reason = job.reason or f"The job is {STATUSES[job.state]}."
    code = {} if job.reason_code is None else {"code": str(job.reason_code)}
    known = {"reason": reason} if job.reason_code is None else {"reason": reason, "reasonCode": job.reason_code}
    return {"error": {"message": reason, **code}, **known}


def job_input(job: Job, payload: bytes) -> wire.JobInput:
    """The input as it was sent, to be answered."""
    return wire.JobInput(input=sent(job, payload))


def sent(job: Job, payload: bytes) -> Any:
    """The input as it was sent."""
    simulator = backend(job.request["backend"]).simulator
    return CIRCUITS.decode(payload).input if simulator else PrimitiveInput.decode(payload).params
