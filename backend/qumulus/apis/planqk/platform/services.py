"""Services: deploy, list, change, remove."""

from __future__ import annotations

import json
from dataclasses import replace

from qumulus.apis.dependencies import Applications, Clock, Jobs, Origin
from qumulus.apis.given import given
from qumulus.apis.planqk import executions
from qumulus.apis.planqk.callers import Deployer, PersonalCaller
from qumulus.apis.planqk.offered import Services
from qumulus.core.errors import InvalidRequest, WrongState
from qumulus.core.ports import JobQuery
from qumulus.core.services import Deployment, device_of, path_name
from qumulus.openapi.contract import Operations

from .schemas import service as wire
from .translate import services as translate

operation = Operations()


@operation("getServices")
def get_services(
    _caller: PersonalCaller, services: Services, lifecycle: wire.Lifecycle | None = None
) -> list[wire.Overview]:
    shown = [translate.overview(service) for service in services.services()]
    return [each for each in shown if lifecycle in (None, each.lifecycle)]


@operation("getService")
def get_service(id: wire.Id, _caller: PersonalCaller, services: Services, origin: Origin) -> wire.Service:
    return translate.service(translate.found(services, id), origin)


@operation("getServiceOpenApi")
def get_service_open_api(
    id: wire.Id, _caller: PersonalCaller, services: Services, format: wire.Format | None = None
) -> wire.DocumentText:
    del format
    return json.dumps(services.document(translate.found(services, id).name), indent=2)


@operation("updateServiceOpenApi")
def update_service_open_api(id: wire.Id, body: wire.Upload, _caller: Deployer, services: Services) -> None:
    services.change(translate.found(services, id).name, translate.with_document(body.file))


@operation("checkServiceNameAvailability")
def check_service_name_availability(name: wire.NewName, _caller: PersonalCaller, services: Services) -> wire.Free:
    try:
        called = path_name(name)
    except InvalidRequest:
        return False  # no service can have it
    return all(each.name != called for each in services.services())


@operation("getServiceStatistics")
def get_service_statistics(
    id: wire.Id, _caller: PersonalCaller, services: Services, applications: Applications, jobs: Jobs, clock: Clock
) -> wire.Statistics:
    service = translate.found(services, id)
    queue = JobQuery(api=executions.API, device=device_of(service.name), limit=1)
    started = [
        jobs.find(replace(queue, created_after=since, created_before=until)).total
        for since, until in translate.months(clock.now())
    ]
    return translate.statistics(started, subscriptions=len(applications.subscriptions(service=service.name)))


@operation("createManagedService")
def create_managed_service(
    name: wire.NewName,
    body: wire.SourceUpload,
    _caller: Deployer,
    services: Services,
    origin: Origin,
    description: wire.Text | None = None,
    milli_cpus: wire.MilliCpus | None = None,
    memory_in_megabytes: wire.Megabytes | None = None,
    runtime: wire.Runtime | None = None,
    gpu_count: wire.Count | None = None,
    gpu_accelerator: wire.Gpu | None = None,
) -> wire.Service:
    called = path_name(name)
    refuse_taken(called, services)
    files = translate.with_members(
        name=name,
        description=description,
        runtime=None if runtime is None else runtime.value,
        resources=translate.resources(milli_cpus, memory_in_megabytes, gpu_count, gpu_accelerator),
    )(services.opened(body.user_code))
    if (document := given(body.api_definition)) is not None:
        files = translate.with_document(document)(files)
    return translate.service(services.deploy(called, files, Deployment()), origin)


@operation("deleteService")
def delete_service(id: wire.Id, _caller: Deployer, services: Services) -> None:
    services.remove(translate.found(services, id).name)


@operation("updateServiceDescription")
def update_service_description(
    id: wire.Id, body: wire.DescriptionUpdate, _caller: Deployer, services: Services
) -> None:
    services.change(translate.found(services, id).name, translate.with_members(description=body.description))


@operation("updateServiceSummary")
def update_service_summary(id: wire.Id, body: wire.SummaryUpdate, _caller: Deployer, services: Services) -> None:
    services.change(translate.found(services, id).name, translate.with_members(summary=body.summary))


@operation("updateServiceDisplayName")
def update_service_display_name(id: wire.Id, body: wire.NameUpdate, _caller: Deployer, services: Services) -> None:
    services.change(translate.found(services, id).name, translate.with_members(name=body.display_name))


def refuse_taken(name: str, services: Services) -> None:
    """Two services have no name in common.

    Raises:
        WrongState: one has it.
    """
    if any(each.name == name for each in services.services()):
        raise WrongState(f"There is a service named {name}: give its id as serviceId in planqk.json, or another name.")
