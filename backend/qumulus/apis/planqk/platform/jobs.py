"""Executions as the vendor's older command line starts and watches them."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Jobs, Origin, Pools
from qumulus.apis.jobs import hold, own
from qumulus.apis.planqk import executions
from qumulus.apis.planqk.callers import MakesPersonalToken, PersonalCaller, SendingExecution, personally_authenticated
from qumulus.apis.planqk.offered import Services
from qumulus.core.errors import IllegalTransition
from qumulus.core.jobs import Job
from qumulus.core.ports import JobQuery, JobStore
from qumulus.openapi.contract import Operations

from .schemas import job as wire
from .translate import jobs as translate
from .translate.services import of_version

MOST_LISTED = 500

operation = Operations()


def _execution(request: Request, caller: PersonalCaller, jobs: Jobs) -> Job:
    return own(request.path_params["id"], caller, jobs, lambda job: job.api == executions.API)


Execution = Annotated[Job, Depends(_execution)]
Held = Annotated[bool, Depends(hold("id", personally_authenticated))]


@operation("getJobs")
def get_jobs(caller: PersonalCaller, jobs: Jobs) -> list[wire.Job]:
    query = JobQuery(account=caller.account, api=executions.API, limit=MOST_LISTED, counted=False)
    return [translate.overview(job) for job in jobs.find(query).jobs]


@operation("createJob")
def create_job(
    body: wire.Request,
    caller: PersonalCaller,
    jobs: Jobs,
    services: Services,
    pools: Pools,
    origin: Origin,
    token: MakesPersonalToken,
    parent: SendingExecution,
) -> wire.Job:
    service = of_version(services, body.service_definition_id)
    asked = executions.first_generation(translate.values(body), translate.references(body), pools, caller)
    services.check(service.name, asked.parameters)
    job_id = jobs.new_id()
    with services.keep_secrets(job_id, asked.secrets, token(job_id)):
        return translate.overview(jobs.submit(executions.job(service, asked, caller, job_id, origin, parent=parent)))


@operation("getJob")
def get_job(id: wire.Id, _held: Held, job: Execution, jobs: Jobs) -> wire.Job:
    del id
    return _whole(job, jobs)


@operation("cancelJob")
def cancel_job(id: wire.Id, caller: PersonalCaller, job: Execution, jobs: Jobs) -> wire.Job:
    with contextlib.suppress(IllegalTransition):  # it has ended: it stays as it is
        jobs.cancel(id, caller)
    return _whole(jobs.get(job.id, caller), jobs)


def _whole(job: Job, jobs: JobStore) -> wire.Job:
    files = jobs.files(job.id) if job.final else ()
    left = next((jobs.file(job.id, name) for name in translate.RESULTS if name in files), None)
    return translate.job(job, jobs.payload(job.id), left)
