"""Jobs: registered, given their input by a presigned upload, submitted, watched, fetched by presigned downloads.

Clients of the generation before send a job whole, when today's register one, and read it whole.
"""

from __future__ import annotations

import base64
from contextlib import suppress

from qumulus.apis.dependencies import Devices, DeviceSettingsStore, Jobs, Origin
from qumulus.apis.idempotency import IdempotencyKey, keyed
from qumulus.apis.jobs import cancel, own
from qumulus.apis.oqtopus.job_files import INPUT, JOB_API, SENT, key
from qumulus.apis.oqtopus.programs import LOG, sse_log
from qumulus.core.accounts import Caller as CoreCaller
from qumulus.core.errors import Unavailable, WrongState
from qumulus.core.jobs import Job as CoreJob
from qumulus.core.jobs import JobState, NewJob
from qumulus.core.ports import JobStore
from qumulus.openapi.contract import Operations, Rendered
from qumulus.openapi.wire import Time

from .callers import Caller, Downloads, Held, Sender, Uploads
from .errors import BadFields, UnknownUserJob, valid
from .schemas.job import (
    Fields,
    GetJobStatusResponse,
    GetSselogResponse,
    InlineJob,
    Job,
    JobId,
    JobInfoUploadPresignedURL,
    JobInfoUploadPresignedURLFields,
    JobStatus,
    NewJobRequest,
    Order,
    Page,
    RegisterJobResponse,
    Size,
    SubmitJobRequest,
    Text,
)
from .schemas.success import SuccessResponse
from .submission import Submission, checked, inline
from .translate import jobs as translate

operation = Operations()

CANCELLABLE = (JobStatus.REGISTERED, JobStatus.SUBMITTED, JobStatus.READY, JobStatus.RUNNING)
DELETABLE = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


@operation("listJobs")
def list_jobs(
    caller: Caller,
    jobs: Jobs,
    devices: Devices,
    address: Downloads,
    fields: Fields | None = None,
    start_time: Time | None = None,
    end_time: Time | None = None,
    status: JobStatus | None = None,
    q: Text | None = None,
    page: Page = 1,
    size: Size = 10,
    order: Order = Order.ASC,
) -> Rendered[list[Job]]:
    members = _members(fields)
    found = jobs.find(translate.job_query(caller, start_time, end_time, status, q, page, size, order)).jobs
    return Rendered.joined(translate.job(each, devices, jobs, address, members) for each in found)


@operation("registerJobId")
def register_job(
    body: NewJobRequest | None,
    caller: Caller,
    sender: Sender,
    origin: Origin,
    jobs: Jobs,
    devices: Devices,
    device_settings: DeviceSettingsStore,
    uploads: Uploads,
    idempotency_key: IdempotencyKey,
) -> RegisterJobResponse:
    new = keyed(translate.registered_job(caller, sender), idempotency_key)
    if isinstance(body, InlineJob):
        submission = inline(body, sender, jobs, devices, device_settings)
        return RegisterJobResponse(job_id=_submitted(new, body, submission, caller, origin, jobs))
    job = jobs.submit(new)
    form = JobInfoUploadPresignedURLFields.model_validate(uploads.presigning.upload(key(job.id, INPUT)))
    return RegisterJobResponse(job_id=job.id, presigned_url=JobInfoUploadPresignedURL(url=uploads.url, fields=form))


@operation("submitJob")
def submit_job(
    job_id: JobId,
    body: SubmitJobRequest,
    caller: Caller,
    sender: Sender,
    origin: Origin,
    jobs: Jobs,
    devices: Devices,
    device_settings: DeviceSettingsStore,
) -> SuccessResponse:
    job = _job(job_id, caller, jobs)
    submission = checked(job, body, sender, jobs, devices, device_settings)
    with valid(job_id, "submission", JobStatus.REGISTERED):  # it may be submitted or cancelled meanwhile
        jobs.upload(job_id, translate.submitted_job(body, job, submission, origin))
    return SuccessResponse(message="job submitted")


@operation("getJob")
def get_job(
    job_id: JobId, held: Held, caller: Caller, jobs: Jobs, devices: Devices, address: Downloads
) -> Rendered[Job]:
    return Rendered(translate.job(_job(job_id, caller, jobs), devices, jobs, address), None)


@operation("getJobStatus")
def get_job_status(job_id: JobId, held: Held, caller: Caller, jobs: Jobs) -> GetJobStatusResponse:
    return GetJobStatusResponse(job_id=job_id, status=translate.JOB_STATUS[_job(job_id, caller, jobs).state])


@operation("getSselog")
def get_sselog(job_id: JobId, caller: Caller, jobs: Jobs) -> GetSselogResponse:
    log = sse_log(_job(job_id, caller, jobs), jobs)
    return GetSselogResponse(file=base64.b64encode(log).decode(), file_name=LOG)


@operation("cancelJob")
def cancel_job(job_id: JobId, caller: Caller, jobs: Jobs) -> SuccessResponse:
    with valid(_job(job_id, caller, jobs).id, "cancellation", *CANCELLABLE):
        cancel(job_id, caller, jobs)
    return SuccessResponse(message="cancel request accepted")


@operation("deleteJob")
def delete_job(job_id: JobId, caller: Caller, jobs: Jobs) -> SuccessResponse:
    with valid(_job(job_id, caller, jobs).id, "deletion", *DELETABLE):
        jobs.delete(job_id, caller)
    return SuccessResponse(message="job deleted")


def _job(job_id: str, caller: CoreCaller, jobs: JobStore) -> CoreJob:
    return own(job_id, caller, jobs, lambda job: job.api == JOB_API, UnknownUserJob)


def _submitted(
    new: NewJob, body: InlineJob, submission: Submission, caller: CoreCaller, origin: str, jobs: JobStore
) -> str:
    """Register a job, keep its input beside it, where an engine finds it, and submit it; the job's id.

    Raises:
        Draining, StorageFull: nothing is left of it, but what the next request under the same key goes on with.
    """
    job = jobs.submit(new)
    if job.state is not JobState.REGISTERED:  # an earlier request under the same key has submitted it
        return job.id
    try:
        with suppress(WrongState):  # the same request came at the same time, or the job was cancelled meanwhile
            jobs.attach(job.id, f"{INPUT}.zip", submission.content)
            jobs.attach(job.id, SENT, submission.sent or b"{}")
            jobs.upload(job.id, translate.submitted_job(body, job, submission, origin))
    except Unavailable:
        if new.idempotency_key is None:
            jobs.delete(job.id, caller, waiting=True)
        raise
    return job.id


def _members(fields: str | None) -> tuple[str, ...]:
    """The members that a list is asked for.

    Raises:
        BadFields: one is no member of a job.
    """
    if not fields:
        return translate.MEMBERS
    named = tuple(name.strip() for name in fields.split(","))
    if unknown := [name for name in named if name not in translate.MEMBERS]:
        raise BadFields(unknown)
    return named
