"""Between the words of the task API and the core's."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from qumulus.apis.oqtopus.names import shown
from qumulus.apis.oqtopus.user.schemas.task import (
    GetTaskResponse,
    GetTaskResultResponse,
    GetTaskStatusResponse,
    ListTasksResponse,
    Order,
    PostTaskRequest,
    PostTaskResponse,
    TaskStatus,
    TaskSummary,
)
from qumulus.core.accounts import Caller
from qumulus.core.devices import Device, DeviceKind
from qumulus.core.errors import Excluded
from qumulus.core.jobs import Job, JobState, NewJob
from qumulus.core.ports import Catalogue, JobQuery, JobStore, Page
from qumulus.openapi.contract import Rendered
from qumulus.payloads import OPENQASM_TASK
from qumulus.payloads.openqasm import OpenQasmTask

TASK_API = "oqtopus/task"

TASK_STATUS: Mapping[JobState, TaskStatus] = {
    JobState.REGISTERED: TaskStatus.QUEUED,
    JobState.QUEUED: TaskStatus.QUEUED,
    JobState.CLAIMED: TaskStatus.QUEUED,
    JobState.RUNNING: TaskStatus.RUNNING,
    JobState.CANCELLING: TaskStatus.CANCELLING,
    JobState.SUCCEEDED: TaskStatus.COMPLETED,
    JobState.FAILED: TaskStatus.FAILED,
    JobState.CANCELLED: TaskStatus.CANCELLED,
}

IDLE_ON: Mapping[DeviceKind, frozenset[str]] = {
    DeviceKind.QPU: frozenset({"n_nodes", "n_per_node", "simulation_opt"}),
    DeviceKind.SIMULATOR: frozenset({"qubit_allocation", "ro_error_mitigation"}),
}
"""Parameters that the document calls valid only for the other kind of device: they have no effect on this one."""


def new_task(body: PostTaskRequest, caller: Caller, device: Device) -> NewJob:
    """The job of a task. What was sent is kept as it was sent: it is the worker's payload and what is given back.

    Raises:
        Excluded: two parameters that exclude each other were sent. The defaults of the document exclude nothing.
    """
    sent = body.model_fields_set
    if {"n_qubits", "n_nodes"} <= sent:
        raise Excluded("n_qubits", "n_nodes")
    if "seed_transpilation" in sent and body.skip_transpilation:
        raise Excluded("seed_transpilation", "skip_transpilation: true")
    members = body.model_dump(mode="json", exclude_unset=True)
    return NewJob(
        account=caller.account,
        device=device.name,
        kind=OPENQASM_TASK.name,
        payload=OPENQASM_TASK.encode(OpenQasmTask.of(members)),
        api=TASK_API,
        name=members.get("name"),
        note=members.get("note"),
        shots=body.n_shots,
        request={"ignored": sorted(sent & IDLE_ON[device.kind])},
    )


def task_query(
    caller: Caller,
    status: TaskStatus | None,
    device: str | None,
    text: str | None,
    order: Order,
    limit: int,
    offset: int,
) -> JobQuery:
    """Which of the caller's tasks a list shows."""
    return JobQuery(
        account=caller.account,
        api=TASK_API,
        states=None if status is None else frozenset(state for state, name in TASK_STATUS.items() if name is status),
        device=device,
        text=text,
        descending=order is Order.DESC,
        offset=offset,
        limit=limit,
    )


def task_posted(job: Job) -> PostTaskResponse:
    """Its identifier."""
    return PostTaskResponse(task_id=UUID(job.id))


def task_status(job: Job) -> GetTaskStatusResponse:
    """Where it is in its life."""
    return GetTaskStatusResponse(task_id=UUID(job.id), status=TASK_STATUS[job.state])


def task(job: Job, payload: bytes, devices: Catalogue) -> GetTaskResponse:
    """The task as it was sent, and where it is in its life."""
    sent = {"skip_transpilation": False, **OPENQASM_TASK.decode(payload).sent}
    return GetTaskResponse.model_validate(
        sent
        | {
            "task_id": job.id,
            "device": shown(job.device, devices),
            "status": TASK_STATUS[job.state],
            "created_at": job.created_at,
        }
    )


def task_list(page: Page, devices: Catalogue) -> ListTasksResponse:
    """A page of tasks."""
    return ListTasksResponse(tasks=[_summary(job, devices) for job in page.jobs], total=page.total)


def _summary(job: Job, devices: Catalogue) -> TaskSummary:
    given = {"name": job.name, "note": job.note}
    return TaskSummary(
        task_id=UUID(job.id),
        device=shown(job.device, devices),
        status=TASK_STATUS[job.state],
        n_shots=job.shots or 1,
        created_at=job.created_at,
        **{name: value for name, value in given.items() if value is not None},
    )


def task_result(job: Job, jobs: JobStore) -> Rendered[GetTaskResultResponse]:
    """How a task ended. The counts are put in as the worker wrote them, however many there are."""
    known = {
        "task_id": job.id,
        "status": TASK_STATUS[job.state],
        "reason": job.reason,
        "ignored": job.request["ignored"],
        "metadata": dict(job.metadata) or None,
        "created_at": job.created_at,
        "started_at": job.running_at,
        "ended_at": job.ended_at,
        "execution_time": job.run_seconds,
    }
    response = GetTaskResultResponse.model_validate({name: value for name, value in known.items() if value is not None})
    content = response.model_dump_json().encode()
    if job.state is JobState.SUCCEEDED:
        result, _media_type = jobs.result(job.id)
        content = _joined(content, result)
    return Rendered.from_bytes(content)


def _joined(first: bytes, second: bytes) -> bytes:
    """The JSON object that has the members of two others, which are not decoded: one of them may be large."""
    inside = [members for each in (first, second) if (members := each.strip()[1:-1].strip())]
    return b"{" + b",".join(inside) + b"}"
