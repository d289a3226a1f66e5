"""Executions: start, list, status, cancel."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Jobs, Pools
from qumulus.apis.given import given
from qumulus.apis.idempotency import IdempotencyKey, keyed
from qumulus.apis.jobs import RESULT_SECONDS, hold, own
from qumulus.apis.planqk import executions as family
from qumulus.apis.planqk import requests
from qumulus.apis.planqk.callers import Caller, CallingApplication, CallingExecution, MakesToken, authenticated
from qumulus.apis.planqk.offered import Services
from qumulus.core import services
from qumulus.core.errors import IllegalTransition
from qumulus.core.jobs import Job
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations, Reply

from .addresses import Base
from .schemas.execution import Id, RequestBody, ServiceExecution
from .schemas.service import Availability, Health, Name, Runtime
from .translate import executions as translate

MOST_LISTED = 1000

operation = Operations()


def _execution(request: Request, caller: Caller, jobs: Jobs) -> Job:
    queue = services.device_of(request.path_params["service"])
    return own(request.path_params["id"], caller, jobs, lambda job: job.device == queue)


Execution = Annotated[Job, Depends(_execution)]
Held = Annotated[bool, Depends(hold("id", authenticated))]
Awaited = Annotated[bool, Depends(hold("id", authenticated, RESULT_SECONDS))]


@operation("getServiceExecutions")
def get_service_executions(service: Name, caller: Caller, jobs: Jobs, services: Services) -> list[ServiceExecution]:
    found = services.service(service)
    page = jobs.find(JobQuery(account=caller.account, device=family.device(found), limit=MOST_LISTED, counted=False))
    return [translate.execution(job, found) for job in page.jobs]


@operation("getHealth")
def get_health(
    service: Name, caller: Caller, jobs: Jobs, services: Services, x_fern_runtime: Runtime | None = None
) -> Availability:
    executions = get_service_executions(service, caller, jobs, services)
    return Health(status="Service is up and running") if x_fern_runtime is None else executions


@operation("startExecution")
@operation("startExecutionWithoutSlash")
def start_execution(
    service: Name,
    body: RequestBody,
    caller: Caller,
    jobs: Jobs,
    services: Services,
    pools: Pools,
    base: Base,
    token: MakesToken,
    application: CallingApplication,
    parent: CallingExecution,
    key: IdempotencyKey,
) -> Reply[ServiceExecution]:
    found = services.service(service)
    asked = requests.read(
        body.model_extra or {},
        pools,
        services.brings(service),
        caller,
        tags=given(body.field_tags) or (),
        secrets=given(body.field_secrets),
    )
    services.check(service, asked.parameters)
    job_id = jobs.new_id()
    with services.keep_secrets(job_id, asked.secrets, token(job_id)):
        new = family.job(found, asked, caller, job_id, base.origin, application=application, parent=parent)
        job = jobs.submit(keyed(new, key))
    return Reply(translate.execution(job, found), headers={"Location": f"{base.of(service)}/{job.id}"})


@operation("getStatus")
def get_status(
    service: Name,
    id: Id,
    _held: Held,
    job: Execution,
    services: Services,
) -> ServiceExecution:
    del id
    return translate.execution(job, services.service(service))


@operation("cancelExecution")
def cancel_execution(
    service: Name, id: Id, caller: Caller, job: Execution, jobs: Jobs, services: Services
) -> ServiceExecution:
    with contextlib.suppress(IllegalTransition):  # it has ended: it stays as it is
        jobs.cancel(id, caller)
    return translate.execution(jobs.get(job.id, caller), services.service(service))
