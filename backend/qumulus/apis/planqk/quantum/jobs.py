"""Jobs."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import Depends, Request
from pydantic_core import to_json

from qumulus.apis.dependencies import Jobs, Settled
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core import jobs as core
from qumulus.core.errors import IllegalTransition, NoResult, UnknownJob
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations, Rendered

from .schemas import job as wire
from .translate import jobs as translate

RESULT_HOLD = 5.0  # seconds

operation = Operations()


async def _held(request: Request, caller: PersonalCaller, settled: Settled) -> None:
    """Hold a request a moment, as long as the job is not final."""
    del caller  # who may not ask is not held
    await settled.wait(request.path_params["id"])


async def _awaited(request: Request, caller: PersonalCaller, settled: Settled) -> None:
    """Hold a request for a result longer: there is nothing to see before the end."""
    del caller
    await settled.wait(request.path_params["id"], RESULT_HOLD)


def _of_this_api(request: Request, caller: PersonalCaller, jobs: Jobs) -> core.Job:
    job = jobs.get(request.path_params["id"], caller)
    if job.api != translate.API:
        raise UnknownJob(job.id)
    return job


Held = Annotated[None, Depends(_held)]
Awaited = Annotated[None, Depends(_awaited)]
Known = Annotated[core.Job, Depends(_of_this_api)]


@operation("getJobs")
def get_jobs(caller: PersonalCaller, jobs: Jobs, page: wire.Page = 0, size: wire.Size = 20) -> wire.JobPage:
    query = JobQuery(account=caller.account, api=translate.API, offset=page * size, limit=size)
    return translate.job_page(jobs.find(query), page, size)


@operation("createJob")
def create_job(body: wire.JobRequest, caller: PersonalCaller, jobs: Jobs) -> wire.Job:
    return translate.job(jobs.submit(translate.new_job(body, caller)))


@operation("getJob")
def get_job(id: wire.JobId, known: Known) -> wire.Job:
    del id
    return translate.job(known)


@operation("cancelJob")
def cancel_job(id: wire.JobId, caller: PersonalCaller, known: Known, jobs: Jobs) -> None:
    with contextlib.suppress(IllegalTransition):  # it has ended: it stays as it is
        jobs.cancel(known.id, caller)


@operation("getJobStatus")
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
def get_job_input(id: wire.JobId, known: Known, jobs: Jobs) -> wire.JobInput:
    del id
    return translate.job_input(known, jobs.payload(known.id))
