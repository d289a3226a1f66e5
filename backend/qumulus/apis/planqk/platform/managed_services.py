"""Services as today's clients make and change them: first a name, then the source."""

from __future__ import annotations

from qumulus.apis.dependencies import Origin
from qumulus.apis.planqk.callers import Deployer, PersonalCaller
from qumulus.apis.planqk.offered import Services
from qumulus.core.services import path_name
from qumulus.openapi.contract import Operations, Reply

from .schemas import service as wire
from .schemas.execution import LogEntry
from .services import refuse_taken
from .translate import services as translate

NO_SOURCE = "The service has no source yet: upload a zip file of its folder."
ZIP = "application/zip"

operation = Operations()


@operation("makeManagedService")
def make_managed_service(
    body: wire.ManagedRequest, _caller: Deployer, services: Services, origin: Origin
) -> wire.Service:
    called = path_name(body.name)
    refuse_taken(called, services)
    return translate.service(services.draft(called, translate.first_files(body), NO_SOURCE), origin)


@operation("uploadManagedServiceSource")
def upload_managed_service_source(id: wire.Id, body: wire.Upload, _caller: Deployer, services: Services) -> None:
    source = services.opened(body.file)
    services.change(translate.found(services, id).name, translate.with_source(source))


@operation("downloadManagedServiceSource")
def download_managed_service_source(id: wire.Id, _caller: Deployer, services: Services) -> Reply[bytes]:
    return Reply(services.packed(translate.found(services, id).name), media_type=ZIP)


@operation("updateManagedServiceSource")
def update_managed_service_source(id: wire.Id, body: wire.Source, _caller: Deployer, services: Services) -> None:
    translate.found(services, id)
    translate.uploaded(body.type)


@operation("updateManagedServiceResourceConfiguration")
def update_managed_service_resource_configuration(
    id: wire.Id, body: wire.ResourceConfiguration, _caller: Deployer, services: Services
) -> None:
    services.change(translate.found(services, id).name, translate.with_members(resources=translate.configured(body)))


@operation("updateManagedServiceRuntimeConfiguration")
def update_managed_service_runtime_configuration(
    id: wire.Id, body: wire.RuntimeConfiguration, _caller: Deployer, services: Services
) -> None:
    services.change(translate.found(services, id).name, translate.with_members(runtime=translate.runtime(body)))


@operation("buildManagedService")
def build_managed_service(id: wire.Id, _caller: Deployer, services: Services) -> None:
    services.change(translate.found(services, id).name, lambda files: files)


@operation("getManagedServiceBuildStatus")
def get_managed_service_build_status(id: wire.Id, _caller: PersonalCaller, services: Services) -> wire.Build:
    return translate.build(translate.found(services, id))


@operation("getManagedServiceBuildLogs")
def get_managed_service_build_logs(id: wire.Id, _caller: PersonalCaller, services: Services) -> list[LogEntry]:
    return translate.build_log(translate.found(services, id))
