"""Service jobs: executions that are started over the platform, and may run again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from qumulus.apis.dependencies import Jobs, Origin, Pools
from qumulus.apis.given import given
from qumulus.apis.planqk import executions as family
from qumulus.apis.planqk import requests
from qumulus.apis.planqk.callers import MakesPersonalToken, PersonalCaller, ProgramToken, SendingExecution
from qumulus.apis.planqk.offered import Services
from qumulus.core import accounts
from qumulus.core.errors import InvalidRequest, UnknownJob, WrongState
from qumulus.core.jobs import Job
from qumulus.core.pools import Pools as KnownPools
from qumulus.core.ports import JobStore
from qumulus.core.services import Service, service_of
from qumulus.core.services import Services as KnownServices
from qumulus.openapi.contract import Operations

from .schemas import execution as wire
from .service_executions import Execution, Known, matching
from .translate import service_executions as translate
from .translate.services import found as found_service

TAGS, SECRETS = "$tags", "$secrets"  # in an input, as the API of a service takes them
NOT_STORED = (
    "The input of this service job was not to be stored, so it can't run again: send storeInput with a new one."
)
WITH_SECRETS = "This service job was sent secrets, which are not kept, so it can't run again: start a new one."

operation = Operations()


@operation("getServiceJobs")
def get_service_jobs(
    caller: PersonalCaller,
    jobs: Jobs,
    known: Known,
    page: wire.PageNumber = 0,
    size: wire.Size = 20,
    sort: wire.Sort | None = None,
    created_after: wire.Time | None = None,
    created_before: wire.Time | None = None,
    service_id: wire.Reference | None = None,
    tags: wire.Names | None = None,
    ids: wire.Names | None = None,
) -> wire.JobPage:
    wanted = translate.Wanted(service=service_id, tags=tags, ids=ids, jobs_alone=True)
    found = matching(wanted, created_after, created_before, caller, jobs, known)
    return wire.JobPage(**translate.page(lambda job: translate.service_job(job, known), found, known, page, size, sort))


@operation("createServiceJob")
def create_service_job(
    body: wire.JobRequest,
    caller: PersonalCaller,
    jobs: Jobs,
    services: Services,
    pools: Pools,
    origin: Origin,
    token: MakesPersonalToken,
    parent: SendingExecution,
) -> wire.Job:
    service = found_service(services, body.service_id)
    asked = _asked(given(body.input) or {}, given(body.tags) or (), pools, services.brings(service.name), caller)
    started = _start(service, asked, bool(given(body.store_input)), caller, jobs, services, origin, token, parent)
    return translate.service_job(started, {service.name: service}, jobs.payload(started.id))


def _asked(
    sent: Mapping[str, Any], tags: Sequence[str], pools: KnownPools, brought: frozenset[str], caller: accounts.Caller
) -> family.Asked:
    secrets, more = sent.get(SECRETS) or {}, sent.get(TAGS) or []
    if not isinstance(secrets, dict) or not all(isinstance(each, str) for each in secrets.values()):
        raise InvalidRequest(f"{SECRETS} has to be an object of texts.")
    if not isinstance(more, list) or not all(isinstance(each, str) for each in more):
        raise InvalidRequest(f"{TAGS} has to be a list of texts.")
    members = {name: value for name, value in sent.items() if name not in (SECRETS, TAGS)}
    return requests.read(members, pools, brought, caller, tags=[*tags, *more], secrets=secrets)


def _start(
    service: Service,
    asked: family.Asked,
    stores: bool,
    caller: accounts.Caller,
    jobs: JobStore,
    services: KnownServices,
    origin: str,
    token: ProgramToken,
    parent: str | None,
) -> Job:
    services.check(service.name, asked.parameters)
    job_id = str(uuid.uuid4())
    new = family.job(service, asked, caller, job_id, origin, parent=parent)
    with services.keep_secrets(job_id, asked.secrets, token(job_id)):
        return jobs.submit(replace(new, request={**new.request, translate.STORES: stores}))


@operation("getServiceJob")
def get_service_job(id: wire.Id, execution: Execution, jobs: Jobs, known: Known) -> wire.Job:
    if translate.STORES not in execution.request:
        raise UnknownJob(id)
    return translate.service_job(execution, known, jobs.payload(execution.id))


@operation("rerunServiceJob")
def rerun_service_job(
    id: wire.Id,
    execution: Execution,
    caller: PersonalCaller,
    jobs: Jobs,
    services: Services,
    origin: Origin,
    token: MakesPersonalToken,
    parent: SendingExecution,
) -> wire.Job:
    if not execution.request.get(translate.STORES):
        raise WrongState(NOT_STORED) if translate.STORES in execution.request else UnknownJob(id)
    if execution.request.get("secrets"):
        raise WrongState(WITH_SECRETS)
    service = services.service(service_of(execution.device))
    sent = translate.sent_again(jobs.payload(execution.id))
    asked = family.Asked(
        parameters=sent,
        tags=execution.tags,
        pools=family.references(execution.request.get("pools", {})),
        files=execution.request.get("files", {}),
    )
    started = _start(service, asked, True, caller, jobs, services, origin, token, parent)
    return translate.service_job(started, {service.name: service}, jobs.payload(started.id))
