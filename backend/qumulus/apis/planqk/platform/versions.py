"""Services as the vendor's older command line changes them: each change deploys anew."""

from __future__ import annotations

from qumulus.apis.dependencies import Origin
from qumulus.apis.given import given
from qumulus.apis.planqk.callers import Deployer, PersonalCaller
from qumulus.apis.planqk.offered import Services
from qumulus.openapi.contract import Operations

from .schemas import service as wire
from .translate import services as translate

operation = Operations()


@operation("updateServiceVersion")
def update_service_version(
    service_id: wire.Id,
    version_id: wire.VersionId,
    body: wire.VersionUpdate,
    _caller: Deployer,
    services: Services,
    origin: Origin,
) -> wire.Version:
    name = translate.found(services, service_id, version_id).name
    changed = services.change(name, translate.with_members(description=given(body.description)))
    return translate.version(changed, origin)


@operation("updateResourceConfiguration")
def update_resource_configuration(
    service_id: wire.Id,
    version_id: wire.VersionId,
    body: wire.ResourceConfiguration,
    _caller: Deployer,
    services: Services,
) -> None:
    name = translate.found(services, service_id, version_id).name
    services.change(name, translate.with_members(resources=translate.configured(body)))


@operation("getBuildStatus")
def get_build_status(
    service_id: wire.Id, version_id: wire.VersionId, _caller: PersonalCaller, services: Services
) -> wire.Build:
    return translate.build(translate.found(services, service_id, version_id))


@operation("updateApiDefinition")
def update_api_definition(
    service_id: wire.Id, version_id: wire.VersionId, body: wire.Upload, _caller: Deployer, services: Services
) -> None:
    services.change(translate.found(services, service_id, version_id).name, translate.with_document(body.file))


@operation("updateSourceCode")
def update_source_code(
    service_id: wire.Id,
    version_id: wire.VersionId,
    body: wire.Upload,
    _caller: Deployer,
    services: Services,
    origin: Origin,
) -> wire.Version:
    files = services.opened(body.file)
    return translate.version(
        services.change(translate.found(services, service_id, version_id).name, lambda _: files), origin
    )
