"""Services: deploy, list, remove, describe."""

from __future__ import annotations

import base64
import contextlib

from pydantic import MISSING

from qumulus.apis.dependencies import Jobs, Origin, Services
from qumulus.core import services as core
from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, InvalidRequest, UnknownJob
from qumulus.core.jobs import JobState
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas import services as wire

PAGE = 500

operation = Operations()


def _to_wire(service: core.Service, origin: Origin) -> wire.Service:
    return wire.Service(
        name=service.name,
        title=service.title,
        description=service.description,
        version=service.version,
        state=wire.State(service.state),
        reason=MISSING if service.reason is None else service.reason,
        entrypoint=service.entrypoint,
        api_version=service.api_version,
        deployed_at=service.deployed_at,
        url=f"{origin}/services/{service.name}",
    )


@operation("listServices")
def list_services(_caller: Administrator, services: Services, origin: Origin) -> list[wire.Service]:
    return [_to_wire(service, origin) for service in services.services()]


@operation("getService")
def get_service(service: wire.Name, _caller: Administrator, services: Services, origin: Origin) -> wire.Service:
    return _to_wire(services.service(service), origin)


@operation("deployService")
def deploy_service(
    service: wire.Name,
    body: wire.Deployment,
    _caller: Administrator,
    services: Services,
    origin: Origin,
) -> wire.Service:
    deployment = core.Deployment(
        entrypoint=None if body.entrypoint is MISSING else body.entrypoint,
        strict=None if body.strict is MISSING else body.strict,
    )
    files = {name: _decoded(name, content) for name, content in body.files.items()}
    return _to_wire(services.deploy(service, files, deployment), origin)


def _decoded(name: str, content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        raise InvalidRequest(f"The content of {name[:200]!r} is not base64.") from None


@operation("removeService")
def remove_service(service: wire.Name, _caller: Administrator, services: Services, jobs: Jobs) -> None:
    services.remove(service)
    waiting = JobQuery(device=core.device_of(service), states=frozenset({JobState.QUEUED}), limit=PAGE)
    while page := jobs.find(waiting).jobs:
        for job in page:
            with contextlib.suppress(IllegalTransition, UnknownJob):  # it has ended, or is gone
                jobs.cancel(job.id, Caller(account=job.account))


@operation("getServiceDocument")
def get_service_document(service: wire.Name, _caller: Administrator, services: Services) -> wire.Document:
    return wire.Document.model_validate(services.document(service))
