"""Operations on the jobs of functions."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import Depends, Request
from pydantic_core import from_json

from qumulus.apis.dependencies import Jobs
from qumulus.apis.given import given
from qumulus.apis.jobs import own
from qumulus.core.errors import IllegalTransition
from qumulus.core.jobs import Job as CoreJob
from qumulus.core.jobs import JobState
from qumulus.core.ports import JobQuery, JobStore
from qumulus.openapi.contract import Operations
from qumulus.openapi.wire import Time

from . import runs, uploads
from .callers import Caller
from .schemas.function import FilterValue, Provider, Title
from .schemas.job import (
    Event,
    EventType,
    Id,
    Job,
    Logs,
    Message,
    Page,
    Result,
    RuntimeJob,
    RuntimeJobs,
    SetSubStatus,
    StatusName,
    Stop,
    WithResult,
)
from .schemas.page import Limit, Offset
from .translate import jobs as translate

MOST_RUNTIME_JOBS = 10_000
OUTPUT = "output.json"  # where the program leaves what it returned

operation = Operations()


def _known(request: Request, caller: Caller, jobs: Jobs) -> CoreJob:
    return own(request.path_params["id"], caller, jobs, lambda job: job.api == runs.API)


KnownJob = Annotated[CoreJob, Depends(_known)]


@operation("listJobs")
def list_jobs(
    caller: Caller,
    jobs: Jobs,
    function: Title | None = None,
    provider: Provider | None = None,
    status: StatusName | None = None,
    filter: FilterValue | None = None,
    created_after: Time | None = None,
    limit: Limit = 10,
    offset: Offset = 0,
) -> Page:
    """The caller's jobs; none of vendors' functions."""
    if provider is not None or filter is FilterValue.CATALOG:
        return Page(count=0, next=None, previous=None, results=[])
    found = jobs.find(
        JobQuery(
            account=caller.account,
            api=runs.API,
            device=None if function is None else runs.device_of(uploads.service_name(caller.account, function)),
            states=translate.states(status),
            created_after=created_after,
            limit=limit,
            offset=offset,
        )
    )
    results = [translate.summary(job) for job in found.jobs]
    return Page(count=found.total, next=None, previous=None, results=results)


@operation("getJob")
def get_job(id: Id, job: KnownJob, jobs: Jobs, with_result: WithResult = True) -> Job:
    """A job."""
    return translate.job(job, _result(job, jobs) if with_result else None)


@operation("getJobResult")
def get_job_result(id: Id, job: KnownJob, jobs: Jobs) -> Result:
    """The result of a job."""
    return Result(result=_result(job, jobs))


@operation("getJobLogs")
def get_job_logs(id: Id, job: KnownJob, jobs: Jobs) -> Logs:
    """The log of a job."""
    return Logs(logs="".join(f"{line.text}\n" for line in jobs.log(job.id)))


@operation("stopJob")
def stop_job(id: Id, body: Stop, caller: Caller, job: KnownJob, jobs: Jobs) -> Message:
    """Cancel a job."""
    with contextlib.suppress(IllegalTransition):
        jobs.cancel(job.id, caller)
        return Message(message="Job has been stopped.")
    return Message(message="Job already in terminal state.")


@operation("setJobSubStatus")
def set_job_sub_status(id: Id, body: SetSubStatus, caller: Caller, job: KnownJob, jobs: Jobs) -> Job:
    """Note what a function says that it is doing."""
    jobs.describe(job.id, {**job.request, "sub_status": body.sub_status.value})
    return translate.job(jobs.get(job.id, caller))


@operation("getRuntimeJobs")
def get_runtime_jobs(id: Id, job: KnownJob) -> RuntimeJobs:
    """The Runtime jobs that a function said are its own."""
    return RuntimeJobs(runtime_jobs=[RuntimeJob(**each) for each in job.request.get("runtime_jobs", ())])


@operation("addRuntimeJob")
def add_runtime_job(id: Id, body: RuntimeJob, job: KnownJob, jobs: Jobs) -> Message:
    """Note a Runtime job."""
    more = {"runtime_job": body.runtime_job, "runtime_session": given(body.runtime_session)}
    noted = [*job.request.get("runtime_jobs", ()), more][-MOST_RUNTIME_JOBS:]
    jobs.describe(job.id, {**job.request, "runtime_jobs": noted})
    return Message(message="The Runtime job is noted.")


@operation("getJobEvents")
def get_job_events(id: Id, job: KnownJob, type: EventType | None = None) -> list[Event]:
    """None: why a job failed is its result."""
    return []


def _result(job: CoreJob, jobs: JobStore) -> str | None:
    """The result as JSON text. What a program that failed has left is no result."""
    succeeded = job.state is JobState.SUCCEEDED and OUTPUT in jobs.files(job.id)
    return translate.result(job, from_json(jobs.file(job.id, OUTPUT))["result"] if succeeded else None)
