"""Executions of services as every API of the family submits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from qumulus.core.accounts import Caller
from qumulus.core.errors import Excluded, InvalidRequest, UnknownFile
from qumulus.core.jobs import NewJob
from qumulus.core.pools import PoolReference, Pools
from qumulus.core.services import Service, device_of
from qumulus.payloads import SERVICE
from qumulus.payloads.user_programs import Parameters

API = "planqk/service"
PARENT = "parent"  # in what the family keeps of an execution: the one whose program has started it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, taken apart."""

    parameters: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # by variable of the environment
    pools: Mapping[str, PoolReference] = field(default_factory=dict)  # by parameter
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by parameter: pool and file


def first_generation(values: Mapping[str, Any], references: Mapping[str, Any], pools: Pools, caller: Caller) -> Asked:
    """What the first generation's two parameters say, by parameter: values, or files of data pools.

    Raises:
        Excluded: a parameter has both.
        InvalidRequest, UnknownPool, UnknownFile: a reference is none, or what is referred to is not there for the caller.
    """
    if both := values.keys() & references.keys():
        raise Excluded(min(both), "a file of a data pool in its place")
    files = {name: pool_file(name, told, pools, caller) for name, told in references.items()}
    return Asked(parameters=values, files=files)


def device(service: Service) -> str:
    """The queue of its executions."""
    return device_of(service.name)


def job(
    service: Service,
    asked: Asked,
    caller: Caller,
    job_id: str,
    origin: str,
    *,
    application: str | None = None,
    parent: str | None = None,
) -> NewJob:
    """The job that runs it, for ``application`` where that has started it, or for the program of ``parent``, an execution. Secrets
    are named in it, no more."""
    return NewJob(
        job_id=job_id,
        account=caller.account,
        device=device(service),
        kind=SERVICE.name,
        api=API,
        payload=SERVICE.encode(Parameters(asked.parameters)),
        name=service.title,
        tags=asked.tags,
        attempts=1,
        request={
            "secrets": sorted(asked.secrets),
            "service_id": str(service.id),
            "origin": origin,
            "application": application,
            PARENT: parent,
            "pools": {name: asdict(reference) for name, reference in asked.pools.items()},
            "files": asked.files,
        },
    )


def references(kept: Mapping[str, Mapping[str, Any]]) -> Mapping[str, PoolReference]:
    """The data pools of an execution, as its job keeps them."""
    return {parameter: PoolReference(**told) for parameter, told in kept.items()}


def pool_file(reference: str, told: Any, pools: Pools, caller: Caller) -> Mapping[str, str]:
    """The file that stands for a parameter; its data pool has to be the caller's."""
    pool, file = (told.get("dataPoolId"), told.get("fileId")) if isinstance(told, dict) else (None, None)
    if not isinstance(pool, str) or not isinstance(file, str):
        raise InvalidRequest(f"{reference} has to be an object with dataPoolId and fileId, both texts.")
    if all(each.id != file for each in pools.files(pool, caller)):
        raise UnknownFile(file)
    return {"pool": pool, "file": file}
