"""The core's jobs and those of the quantum API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import MISSING
from pydantic_core import to_json

from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownSession
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.ports import Page

from .formats import Done
from .schemas import job as wire
from .simulators import simulator

API = "planqk/quantum"
KIND = "kipu"
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


def new_job(body: wire.JobRequest, caller: Caller) -> NewJob:
    """The job that is asked for. Its input is read by the worker: one that is wrong makes a job that fails.

    Raises:
        UnknownDevice: there is no such backend.
        UnknownSession: a session is named; these backends have none.
    """
    backend = simulator(body.backend_id)
    format_ = backend.format
    if session := _given(body.session_id, None):
        raise UnknownSession(session)
    written = _given(body.input_format, format_.name)
    parameters = _given(body.input_params, {})
    return NewJob(
        account=caller.account,
        device=backend.device,
        kind=KIND,
        api=API,
        payload=to_json(
            {"format": written if written == format_.name else None, "input": body.input, "parameters": parameters}
        ),
        name=_given(body.name, None),
        shots=_given(body.shots, 1),
        tags=tuple(_given(body.tags, [])),
        request={
            "backend": backend.id,
            "parameters": format_.parameters(body.input, parameters),
            "sdk": _given(body.sdk_provider, None),
        },
    )


def _given(value: Any, otherwise: Any) -> Any:
    return otherwise if value is MISSING or value is None else value


def job(known: Job) -> wire.Job:
    """A job."""
    backend = simulator(known.request["backend"])
    sdk = known.request.get("sdk")
    return wire.Job(
        id=known.id,
        backend_id=backend.id,
        provider=backend.provider,
        provider_job_id=known.id,
        name=MISSING if known.name is None else known.name,
        status=STATUSES[known.state],
        shots=known.shots or 1,
        tags=list(known.tags),
        input_format=wire.InputFormat(backend.format.name),
        input_params=wire.Parameters.model_validate(known.request["parameters"]),
        sdk_provider=MISSING if sdk is None else sdk,
        created_at=_time(known.created_at),
        started_at=MISSING if known.running_at is None else _time(known.running_at),
        ended_at=MISSING if known.ended_at is None else _time(known.ended_at),
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


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


def result(known: Job, payload: bytes, stored: bytes) -> Mapping[str, Any]:
    """The result in the form of the backend's provider."""
    backend = simulator(known.request["backend"])
    counts, code = json.loads(stored)["counts"], str(json.loads(payload)["input"])
    parameters = known.request["parameters"]
    done = Done(job_id=known.id, counts=counts, shots=known.shots or 1, code=code, parameters=parameters)
    return backend.format.write(done)


def job_input(payload: bytes) -> wire.JobInput:
    """The input as it was sent."""
    return wire.JobInput(input=json.loads(payload)["input"])
