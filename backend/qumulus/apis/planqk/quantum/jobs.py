"""Jobs."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import Depends, Request
from pydantic_core import to_json

from qumulus.apis.dependencies import Jobs
from qumulus.apis.idempotency import IdempotencyKey, keyed
from qumulus.apis.jobs import RESULT_SECONDS, hold, own
from qumulus.apis.planqk.callers import PersonalCaller, SendingExecution, personally_authenticated
from qumulus.core import jobs as core
from qumulus.core.errors import IllegalTransition, NoResult
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations, Rendered

from .schemas import job as wire
from .schemas.workload import ExecutionId
from .translate import jobs as translate

EXECUTION = "serviceExecutionId"  # in a path: the jobs and sessions that its program has sent, and no others

operation = Operations()


def _of_this_api(request: Request, caller: PersonalCaller, jobs: Jobs) -> core.Job:
    execution = request.path_params.get(EXECUTION)
    return own(
        request.path_params["id"],
        caller,
        jobs,
        lambda job: job.api == translate.API and execution in (None, job.instance),
    )


Held = Annotated[bool, Depends(hold("id", personally_authenticated))]
Awaited = Annotated[bool, Depends(hold("id", personally_authenticated, RESULT_SECONDS))]
Known = Annotated[core.Job, Depends(_of_this_api)]


@operation("getJobs")
def get_jobs(
    caller: PersonalCaller,
    jobs: Jobs,
    page: wire.Page = 0,
    size: wire.Size = 20,
    sort: wire.Sort | None = None,
    service_execution_id: ExecutionId | None = None,
) -> wire.JobPage:
    query = JobQuery(
        account=caller.account,
        api=translate.API,
        instance=service_execution_id,
        descending=translate.descending(sort),
        offset=page * size,
        limit=size,
    )
    return translate.job_page(jobs.find(query), page, size)


@operation("createJob")
def create_job(
    body: wire.JobRequest, caller: PersonalCaller, jobs: Jobs, key: IdempotencyKey, execution: SendingExecution
) -> wire.Job:
    return translate.job(jobs.submit(keyed(translate.new_job(body, caller, execution), key)))


@operation("getJob")
@operation("getServiceExecutionJob")
def get_job(id: wire.JobId, known: Known) -> wire.Job:
    del id
    return translate.job(known)


@operation("cancelJob")
@operation("cancelServiceExecutionJob")
def cancel_job(id: wire.JobId, caller: PersonalCaller, known: Known, jobs: Jobs) -> None:
    with contextlib.suppress(IllegalTransition):  # it has ended: it stays as it is
        jobs.cancel(known.id, caller)


@operation("getJobStatus")
@operation("getServiceExecutionJobStatus")
def get_job_status(id: wire.JobId, held: Held, known: Known) -> wire.JobState:
    del id, held
    return wire.JobState(status=translate.STATUSES[known.state])


@operation("getJobResult")
def get_job_result(
    id: wire.JobId, awaited: Awaited, known: Known, jobs: Jobs, x_fern_runtime: wire.Client | None = None
) -> Rendered[wire.JobResult]:
    del id, awaited
    if known.state is core.JobState.SUCCEEDED:
        stored, newer = jobs.result(known.id)[0], x_fern_runtime is not None
        return Rendered.from_bytes(translate.result(known, jobs.payload(known.id), stored, newer=newer))
    if known.final:  # also of one that was cancelled: IBM's client asks for the reason of that
        return Rendered.from_bytes(to_json(translate.failure(known)))
    raise NoResult(known.id, translate.STATUSES[known.state])


@operation("getJobInput")
@operation("getServiceExecutionJobInput")
def get_job_input(id: wire.JobId, known: Known, jobs: Jobs) -> wire.JobInput:
    del id
    return translate.job_input(known, jobs.payload(known.id))
