"""Services: deploy, list, remove, describe."""

from __future__ import annotations

import contextlib

from qumulus.apis.dependencies import Jobs, Origin, Services
from qumulus.core import services as core
from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, UnknownJob
from qumulus.core.jobs import JobState
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas import services as wire
from .translate import services as translate

PAGE = 500

operation = Operations()


@operation("listServices")
def list_services(_caller: Administrator, services: Services, origin: Origin) -> list[wire.Service]:
    return [translate.service(service, origin) for service in services.services()]


@operation("getService")
def get_service(service: wire.Name, _caller: Administrator, services: Services, origin: Origin) -> wire.Service:
    return translate.service(services.service(service), origin)


@operation("deployService")
def deploy_service(
    service: wire.Name,
    body: wire.Deployment,
    _caller: Administrator,
    services: Services,
    origin: Origin,
) -> wire.Service:
    deployed = services.deploy(service, translate.files(body), translate.deployment(body))
    return translate.service(deployed, origin)


@operation("removeService")
def remove_service(service: wire.Name, _caller: Administrator, services: Services, jobs: Jobs) -> None:
    services.remove(service)
    waiting = JobQuery(device=core.device_of(service), states=frozenset({JobState.QUEUED}), limit=PAGE, counted=False)
    while page := jobs.find(waiting).jobs:
        for job in page:
            with contextlib.suppress(IllegalTransition, UnknownJob):  # it has ended, or is gone
                jobs.cancel(job.id, Caller(account=job.account))


@operation("getServiceDocument")
def get_service_document(service: wire.Name, _caller: Administrator, services: Services) -> wire.Document:
    return wire.Document.model_validate(services.document(service))
