"""Services of the core and those of the platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import MISSING

from qumulus.apis.given import given, said
from qumulus.apis.planqk.platform.schemas import service as wire
from qumulus.apis.planqk.platform.schemas.execution import LogEntry
from qumulus.core.errors import InvalidRequest, UnknownService
from qumulus.core.services import Service, Services, ServiceState

from . import listings

VERSION = "1"  # a service has one at a time
MANIFESTS = ("qhub.json", "planqk.json")
DOCUMENT = "openapi.yaml"
DOCUMENTS = ("openapi.yaml", "openapi.yml", "openapi-spec.yml", "openapi-spec.yaml", "openapi.json")
NEEDS_PROGRAM = "Upload a zip file of the folder of the service."
STATES: Mapping[ServiceState, wire.BuildStatus] = {
    ServiceState.BUILDING: wire.BuildStatus.WORKING,
    ServiceState.READY: wire.BuildStatus.SUCCESS,
    ServiceState.FAILED: wire.BuildStatus.FAILURE,
}
Files = Mapping[str, bytes]


def found(services: Services, service_id: UUID, version_id: UUID | None = None) -> Service:
    """The service with that id, and that version of its.

    Raises:
        UnknownService
    """
    for service in services.services():
        if service.id == service_id and version_id in (None, service.definition_id):
            return service
    raise UnknownService(str(service_id))


def of_version(services: Services, version_id: UUID) -> Service:
    """The service that has that version.

    Raises:
        UnknownService
    """
    for service in services.services():
        if service.definition_id == version_id:
            return service
    raise UnknownService(str(version_id))


def version(service: Service, origin: str) -> wire.Version:
    """A service as it is deployed."""
    return wire.Version(
        id=str(service.definition_id),
        version=VERSION,
        name=service.title,
        context=service.name,
        description=service.description,
        gateway_endpoint=f"{origin}/services/{service.name}",
        type=wire.Type.MANAGED,
        lifecycle=listings.lifecycle(service),
        pricing_plans=listings.plans(service),
        created_at=time(service.deployed_at),
    )


def service(service: Service, origin: str) -> wire.Service:
    """A service with its version."""
    return wire.Service(
        id=str(service.id),
        name=service.name,
        display_name=service.title,
        current_user_permission="OWNER",
        service_definitions=[version(service, origin)],
        contacts=listings.contacts(service),
        links=listings.links(service),
    )


def overview(service: Service) -> wire.Overview:
    """A service in a list."""
    return wire.Overview(
        id=str(service.id),
        service_definition_id=str(service.definition_id),
        name=service.name,
        display_name=service.title,
        type=wire.Type.MANAGED,
        lifecycle=listings.lifecycle(service),
        created_at=time(service.deployed_at),
        build_status=STATES[service.state],
    )


def build(service: Service) -> wire.Build:
    """How far its deployment is, with what the installer said where that failed."""
    reason = service.reason or ""
    level = "ERROR" if service.state is ServiceState.FAILED else "WARNING"
    return wire.Build(
        status=STATES[service.state],
        step=wire.BuildStep.BUILD_IMAGE if service.state is not ServiceState.READY else wire.BuildStep.PUSH_IMAGE,
        created_at=time(service.deployed_at),
        finished_at=said(None if service.built_at is None else time(service.built_at)),
        validation_result=wire.Validation(state=level, summary=reason, messages=reason.splitlines())
        if reason
        else MISSING,
    )


def months(now: datetime) -> list[tuple[datetime | None, datetime | None]]:
    """Return since when and until when executions are counted: all, this month's, last month's, those of three months."""
    count = now.year * 12 + now.month - 1
    this, last, third = (datetime((count - back) // 12, (count - back) % 12 + 1, 1, tzinfo=UTC) for back in (0, 1, 2))
    return [(None, None), (this, None), (last, this - timedelta(microseconds=1)), (third, None)]


def statistics(started: Sequence[int], *, subscriptions: int) -> wire.Statistics:
    """How much a service is used; ``started`` counts executions, in the order of `months`."""
    total, this, last, three = started
    return wire.Statistics(
        stars=0,
        subscription_count=subscriptions,
        managed_service_executions=wire.ExecutionStatistics(
            total_count=total, this_month_count=this, last_month_count=last, last_three_months_count=three
        ),
    )


def time(at: datetime) -> str:
    """A time as the clients read it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def with_members(**members: Any) -> Callable[[Files], Files]:
    """What puts members into the manifest of a service; None leaves one as it is."""

    def change(files: Files) -> Files:
        name = next((each for each in MANIFESTS if each in files), MANIFESTS[-1])
        try:
            manifest = json.loads(files.get(name, b"{}"))
        except ValueError as error:
            raise InvalidRequest(f"{name} can't be read: {error}.") from None
        if not isinstance(manifest, dict):
            raise InvalidRequest(f"{name} has to hold an object.")
        for member, value in members.items():
            if isinstance(value, Mapping):
                present = manifest.get(member)
                manifest[member] = {**(present if isinstance(present, dict) else {}), **value}
            elif value is not None:
                manifest[member] = value
        return {**files, name: json.dumps(manifest, indent=2).encode()}

    return change


def first_files(body: wire.ManagedRequest) -> Files:
    """The manifest of a service that has no program yet.

    Raises:
        InvalidRequest: it asks for what is not here: a source elsewhere, variables, the tokens of providers.
    """
    configuration = given(body.runtime_configuration)
    uploaded(body.source.type)
    files: Files = {}
    for each in given(body.resource_configurations) or ():
        files = with_members(resources=configured(each))(files)
    return with_members(
        name=body.name,
        description=given(body.description) or given(body.summary),
        runtime=None if configuration is None else runtime(configuration),
    )(files)


def uploaded(source: wire.SourceKind) -> None:
    """Take the source of a service only where it is uploaded.

    Raises:
        InvalidRequest: it is elsewhere.
    """
    if source is not wire.SourceKind.FILE:
        raise InvalidRequest(f"The source of a service is uploaded here, not taken from a {source.value}.")


def runtime(configuration: wire.RuntimeConfiguration) -> str:
    """What runs a service.

    Raises:
        InvalidRequest: it asks for variables, or for the tokens of providers.
    """
    if given(configuration.environment) or given(configuration.apply_provider_tokens):
        raise InvalidRequest("Variables and tokens of providers can't be set here: send secrets with each execution.")
    return configuration.runtime.value


def with_source(source: Files) -> Callable[[Files], Files]:
    """What puts the source of a service in the place of the present one; of its manifest what the source does not say stays."""

    def change(files: Files) -> Files:
        manifest = next((json.loads(files[name]) for name in MANIFESTS if name in files), {})
        said = next((json.loads(source[name]) for name in MANIFESTS if _is_object(source.get(name))), {})
        return with_members(**{**manifest, **said})(source)

    return change


def _is_object(content: bytes | None) -> bool:
    try:
        return isinstance(json.loads(content or b""), dict)
    except ValueError:
        return False


def build_log(service: Service) -> list[LogEntry]:
    """What the installer said where a build has failed."""
    lines = (service.reason or "").splitlines() if service.state is ServiceState.FAILED else ()
    at = str(round(service.deployed_at.timestamp() * 1000))
    return [LogEntry(message=line, severity="ERROR", timestamp=at) for line in lines]


def with_document(content: bytes) -> Callable[[Files], Files]:
    """What puts an OpenAPI document into the place of the one that a service has."""
    return lambda files: {
        **{name: each for name, each in files.items() if name not in DOCUMENTS},
        DOCUMENT: content,
    }


def resources(
    milli_cpus: int | None, megabytes: int | None, gpus: int | None = None, accelerator: str | None = None
) -> Mapping[str, Any] | None:
    """The resources of a manifest: cores, gigabytes, GPUs."""
    told: dict[str, Any] = {}
    if milli_cpus:
        told["cpu"] = milli_cpus / 1000
    if megabytes:
        told["memory"] = megabytes / 1024
    if gpus is not None:
        told["gpu"] = {"type": accelerator or "NONE", "count": gpus}
    return told or None


def configured(body: wire.ResourceConfiguration) -> Mapping[str, Any] | None:
    """The same, of a change of one of them."""
    if body.type is wire.ResourceKind.CPU:
        return resources(body.amount, None)
    if body.type is wire.ResourceKind.MEMORY:
        return resources(None, body.amount)
    return resources(None, None, body.amount, given(body.accelerator))
