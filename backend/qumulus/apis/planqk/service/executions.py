"""Executions: start, list, status, cancel."""

from __future__ import annotations

import contextlib
import uuid
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Jobs, Pools, Services, Settled
from qumulus.apis.planqk.callers import Bearer, Caller
from qumulus.core import accounts, services
from qumulus.core.errors import IllegalTransition, UnknownJob
from qumulus.core.jobs import Job
from qumulus.core.ports import JobQuery, JobStore
from qumulus.openapi.contract import Operations, Reply

from . import requests
from .addresses import Base
from .schemas.execution import Id, RequestBody, ServiceExecution
from .schemas.service import Availability, Health, Name, Runtime
from .translate import executions as translate

MOST_LISTED = 1000
RESULT_HOLD = 5.0  # seconds

operation = Operations()


def _of_service(jobs: JobStore, caller: accounts.Caller, service: str, job_id: str) -> Job:
    """The job, if it is an execution of this service.

    Raises:
        UnknownJob
    """
    job = jobs.get(job_id, caller)
    if job.device != services.device_of(service):
        raise UnknownJob(job_id)
    return job


async def _held(request: Request, caller: Caller, settled: Settled) -> None:
    """Hold the request a moment, as long as the execution is not final."""
    del caller  # who may not ask is not held
    await settled.wait(request.path_params["id"])


async def _awaited(request: Request, caller: Caller, settled: Settled) -> None:
    """Hold a request for the result longer: there is nothing to see before the end."""
    del caller
    await settled.wait(request.path_params["id"], RESULT_HOLD)


def _execution(request: Request, caller: Caller, jobs: Jobs) -> Job:
    return _of_service(jobs, caller, request.path_params["service"], request.path_params["id"])


Execution = Annotated[Job, Depends(_execution)]
Held = Annotated[None, Depends(_held)]
Awaited = Annotated[None, Depends(_awaited)]


@operation("getServiceExecutions")
def get_service_executions(service: Name, caller: Caller, jobs: Jobs, services: Services) -> list[ServiceExecution]:
    found = services.service(service)
    page = jobs.find(JobQuery(account=caller.account, device=requests.device(found), limit=MOST_LISTED))
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
    token: Bearer,
) -> Reply[ServiceExecution]:
    found = services.service(service)
    asked = requests.read(body, pools, services.brings(service), caller)
    services.check(service, asked.parameters)
    job_id = str(uuid.uuid4())
    with services.keep_secrets(job_id, asked.secrets, token):
        job = jobs.submit(requests.job(found, asked, caller, job_id, base.origin))
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
