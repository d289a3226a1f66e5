"""Tasks: quantum programs submitted, watched and answered as JSON."""

from __future__ import annotations

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs
from qumulus.apis.idempotency import IdempotencyKey, keyed
from qumulus.apis.jobs import own
from qumulus.apis.oqtopus.names import accepting
from qumulus.core.accounts import Caller as CoreCaller
from qumulus.core.jobs import Job
from qumulus.core.ports import JobStore
from qumulus.openapi.contract import Operations, Rendered

from .callers import CallerOrDefault, TaskHeld
from .errors import NoResultYet, UnknownTask
from .schemas.success import SuccessResponse
from .schemas.task import (
    DeviceName,
    GetTaskResponse,
    GetTaskResultResponse,
    GetTaskStatusResponse,
    Limit,
    ListTasksResponse,
    Offset,
    Order,
    PostTaskRequest,
    PostTaskResponse,
    SearchText,
    TaskId,
    TaskStatus,
)
from .translate import tasks as translate

operation = Operations()


@operation("postTask")
def post_task(
    body: PostTaskRequest,
    caller: CallerOrDefault,
    jobs: Jobs,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    key: IdempotencyKey,
) -> PostTaskResponse:
    new = translate.new_task(body, caller, accepting(body.device, devices, device_settings))
    return translate.task_posted(jobs.submit(keyed(new, key)))


@operation("listTasks")
def list_tasks(
    caller: CallerOrDefault,
    jobs: Jobs,
    devices: Devices,
    status: TaskStatus | None = None,
    device: DeviceName | None = None,
    q: SearchText | None = None,
    order: Order = Order.DESC,
    limit: Limit = 10,
    offset: Offset = 0,
) -> ListTasksResponse:
    named = None if device is None else devices.device(device).name
    page = jobs.find(translate.task_query(caller, status, named, q, order, limit, offset))
    return translate.task_list(page, devices)


@operation("getTaskByTaskId")
def get_task(task_id: TaskId, caller: CallerOrDefault, jobs: Jobs, devices: Devices) -> GetTaskResponse:
    job = _task(str(task_id), caller, jobs)
    return translate.task(job, jobs.payload(job.id), devices)


@operation("getTaskStatusByTaskId")
def get_task_status(task_id: TaskId, held: TaskHeld, caller: CallerOrDefault, jobs: Jobs) -> GetTaskStatusResponse:
    return translate.task_status(_task(str(task_id), caller, jobs))


@operation("getTaskResultByTaskId")
def get_task_result(
    task_id: TaskId, held: TaskHeld, caller: CallerOrDefault, jobs: Jobs
) -> Rendered[GetTaskResultResponse]:
    job = _task(str(task_id), caller, jobs)
    if not job.final:
        raise NoResultYet(job.id, translate.TASK_STATUS[job.state])
    return translate.task_result(job, jobs)


@operation("cancelTaskByTaskId")
def cancel_task(task_id: TaskId, caller: CallerOrDefault, jobs: Jobs) -> GetTaskStatusResponse:
    return translate.task_status(jobs.cancel(_task(str(task_id), caller, jobs).id, caller))


@operation("deleteTaskByTaskId")
def delete_task(task_id: TaskId, caller: CallerOrDefault, jobs: Jobs) -> SuccessResponse:
    jobs.delete(_task(str(task_id), caller, jobs).id, caller)
    return SuccessResponse(message="task deleted")


def _task(task_id: str, caller: CoreCaller, jobs: JobStore) -> Job:
    return own(task_id, caller, jobs, lambda job: job.api == translate.TASK_API, UnknownTask)
