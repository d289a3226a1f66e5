"""Operations on jobs."""

from __future__ import annotations

from dataclasses import replace

from qumulus.apis.dependencies import Clock, Devices, Jobs, Sessions
from qumulus.apis.ibm import names
from qumulus.apis.idempotency import IdempotencyKey, keyed
from qumulus.core.errors import NoResult
from qumulus.openapi.contract import Operations

from . import usage
from .callers import Caller, Held, Instance
from .changes import Change, Gone, Version
from .limits import Limits
from .schemas.backend import BackendName, IncludeMocks
from .schemas.job import (
    CreatedAt,
    ExcludeParams,
    IncludeParams,
    JobId,
    JobMetrics,
    JobResponse,
    JobsResponse,
    Limit,
    Offset,
    Pending,
    ProgramId,
    RunJobRequest,
    RunJobResponse,
    Sort,
    Tags,
    TagsRequest,
    TranspiledCircuits,
)
from .schemas.session import SessionId
from .translate import jobs as translate
from .translate import sessions as translate_sessions

operation = Operations()

PAGE = 200  # jobs in an answer, however many are asked for


@operation("runJob")
def run_job(
    body: RunJobRequest,
    caller: Caller,
    instance: Instance,
    devices: Devices,
    sessions: Sessions,
    jobs: Jobs,
    clock: Clock,
    limits: Limits,
    key: IdempotencyKey,
) -> RunJobResponse:
    """Take a job."""
    limits.admit(body, caller, instance, jobs, clock)
    usage.admit(instance, jobs, clock)
    new = translate.new(body, caller, devices)
    if body.start_session is True:
        session = sessions.open(limits.session(translate_sessions.of_job(new, body), instance))
        new = replace(new, session=session.id)
    return translate.taken(jobs.submit(keyed(new, key)))


@operation("listJobs")
def list_jobs(
    caller: Caller,
    version: Version,
    devices: Devices,
    jobs: Jobs,
    limit: Limit = 200,
    offset: Offset = 0,
    pending: Pending | None = None,
    program: ProgramId | None = None,
    backend: BackendName | None = None,
    created_after: CreatedAt | None = None,
    created_before: CreatedAt | None = None,
    sort: Sort = Sort.DESC,
    tags: Tags | None = None,
    session_id: SessionId | None = None,
    exclude_params: ExcludeParams = True,
    include_mocks: IncludeMocks = False,
) -> JobsResponse:
    """The caller's jobs in the instance."""
    query = translate.query(
        caller,
        hidden=frozenset() if include_mocks else names.mocks(devices),
        program=program,
        backend=backend,
        pending=pending,
        created=(created_after, created_before),
        newest_first=sort is Sort.DESC,
        tags=tags,
        session=session_id,
        page=(offset, min(limit, PAGE)),
    )
    page = jobs.find(query)
    found = [translate.job(each, version, None if exclude_params else jobs.payload(each.id)) for each in page.jobs]
    return JobsResponse(jobs=found, count=page.total, limit=query.limit, offset=offset)


@operation("getJob", quick=True)
def get_job(
    id: JobId, caller: Caller, version: Version, held: Held, jobs: Jobs, exclude_params: IncludeParams = False
) -> JobResponse:
    """A job, with its inputs unless they are not wanted."""
    job = jobs.get(id, caller)
    return translate.job(job, version, None if exclude_params else jobs.payload(id))


@operation("deleteJob")
def delete_job(id: JobId, caller: Caller, jobs: Jobs) -> None:
    """Forget a job that does not run."""
    jobs.delete(id, caller, waiting=True)


@operation("cancelJob")
def cancel_job(id: JobId, caller: Caller, jobs: Jobs) -> None:
    """Ask for the end of a job."""
    jobs.cancel(id, caller)


@operation("getJobResults", quick=True)
def get_job_results(id: JobId, caller: Caller, jobs: Jobs) -> bytes:
    """The result as it was stored, or why there is none; a private one is given out once."""
    try:
        return jobs.hand_out(id, caller)[0]
    except NoResult:
        return (jobs.get(id, caller).reason or "").encode()


@operation("getInterimResults")
def get_interim_results(id: JobId, caller: Caller, jobs: Jobs) -> str:
    """No program writes any."""
    jobs.get(id, caller)
    return ""


@operation("getJobMetrics")
def get_job_metrics(id: JobId, caller: Caller, version: Version, jobs: Jobs) -> JobMetrics:
    """What is measured of a job, in the words of the version."""
    job = jobs.get(id, caller)
    return translate.metrics(job, version, jobs.position(id), jobs.expected_start(id), jobs.expected_end(id))


@operation("getJobLogs")
def get_job_logs(id: JobId, caller: Caller, jobs: Jobs) -> str:
    """What the program wrote."""
    jobs.get(id, caller)
    return "".join(f"{line.time.isoformat()} {line.severity}: {line.text}\n" for line in jobs.log(id))


@operation("replaceJobTags")
def replace_job_tags(id: JobId, body: TagsRequest, caller: Caller, jobs: Jobs, limits: Limits) -> None:
    """Give a job other tags."""
    limits.tags(body.tags)
    jobs.set_tags(id, caller, body.tags)


@operation("getTranspiledCircuits")
def get_transpiled_circuits(id: JobId, caller: Caller, version: Version, jobs: Jobs) -> TranspiledCircuits:
    """Where the circuits are: clients send them for the device, so that they run as they were sent."""
    if version.has(Change.NO_TRANSPILED_CIRCUITS):
        raise Gone(Change.NO_TRANSPILED_CIRCUITS)
    return TranspiledCircuits(url=f"/v1/jobs/{jobs.get(id, caller).id}")
