"""Jobs of a device, for its engine."""

from __future__ import annotations

from datetime import timedelta

from qumulus.apis.dependencies import Devices, Jobs, Queue
from qumulus.apis.jobs import anybodys
from qumulus.apis.oqtopus.job_files import JOB_API
from qumulus.core.jobs import Job as CoreJob
from qumulus.core.jobs import JobState
from qumulus.core.ports import FetchedQueue, JobStore
from qumulus.openapi.contract import Operations
from qumulus.openapi.wire import Time

from .callers import Caller, Downloads, Lease, Uploads
from .fetching import listed
from .reports import report
from .schemas.job import (
    DeviceName,
    Fields,
    Items,
    Job,
    JobId,
    JobStatus,
    JobStatusUpdate,
    Limit,
    Options,
    UploadAddress,
)
from .schemas.success import SuccessResponse
from .translate import jobs as translate

operation = Operations()


@operation("getJobs")
def get_jobs(
    device_id: DeviceName,
    caller: Caller,
    lease: Lease,
    jobs: Jobs,
    queue: Queue,
    devices: Devices,
    address: Downloads,
    status: JobStatus | None = None,
    fields: Fields | None = None,
    limit: Limit = 10,
    timestamp: Time | None = None,
) -> list[Job]:
    members, device = translate.members(fields), devices.device(device_id).name
    found = listed(device, status, limit, timestamp, lease, jobs, queue)
    return [translate.job(job, devices, address, members) for job in found]


@operation("getJob")
def get_job(
    job_id: JobId, caller: Caller, lease: Lease, jobs: Jobs, queue: Queue, devices: Devices, address: Downloads
) -> Job:
    return translate.job(_job(job_id, jobs, queue, lease), devices, address)


@operation("getUpload")
def get_upload(
    job_id: JobId, items: Items, caller: Caller, lease: Lease, jobs: Jobs, queue: Queue, uploads: Uploads
) -> list[UploadAddress]:
    return [uploads(key) for key in translate.uploads(items, _job(job_id, jobs, queue, lease))]


@operation("patchJob")
def patch_job(
    job_id: JobId, body: JobStatusUpdate, caller: Caller, lease: Lease, jobs: Jobs, queue: Queue
) -> SuccessResponse:
    report(_job(job_id, jobs, queue, lease), body, jobs, queue)
    return SuccessResponse(message="Job status is successfully updated.")


@operation("updateJobTranspilerInfo")
def update_job_transpiler_info(
    job_id: JobId, body: Options, caller: Caller, lease: Lease, jobs: Jobs, queue: Queue
) -> SuccessResponse:
    job = _job(job_id, jobs, queue, lease)
    jobs.describe(job.id, {**job.request, "transpiler_info": body.model_dump(mode="json")})
    return SuccessResponse(message="Job transpiler_info is successfully updated.")


def _job(job_id: str, jobs: JobStore, queue: FetchedQueue, lease: timedelta | None) -> CoreJob:
    """A job that an engine may know of: submitted through the User API. That it asks shows that it lives: its lease is renewed.

    Raises:
        UnknownJob
    """
    job = anybodys(job_id, jobs, _engines)
    if lease is not None:
        queue.renew(job.id, lease)
    return job


def _engines(job: CoreJob) -> bool:
    return job.api == JOB_API and job.state is not JobState.REGISTERED
