"""What a request to start an execution says: parameters, tags, secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import MISSING

from qumulus.core.accounts import Caller
from qumulus.core.errors import Excluded, InvalidRequest, UnknownFile, UnknownPool
from qumulus.core.jobs import NewJob
from qumulus.core.pools import PoolReference, Pools
from qumulus.core.services import Service, device_of
from qumulus.payloads import SERVICE
from qumulus.payloads.user_programs import Parameters

from .schemas.execution import RequestBody

API = "planqk/service"
MOST_NAME_BYTES = 250  # of a parameter: each is a file or a folder for its program
REFERENCES = {"dataRef": "data", "paramsRef": "params"}  # the first generation's: a file of a data pool is the value


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, taken apart."""

    parameters: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # by variable of the environment
    pools: Mapping[str, PoolReference] = field(default_factory=dict)  # by parameter
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by parameter: pool and file


def read(body: RequestBody, pools: Pools, brought: Collection[str], caller: Caller) -> Asked:
    """The parts of a request; ``brought`` are the parameters that the service brings data pools along for.

    Raises:
        Excluded: a parameter and a reference in its place were both sent.
        InvalidRequest: a reference is none, or its grant is not good for it; or the name of a parameter is too long.
        UnknownPool, UnknownFile: what is referred to is not there for the caller.
    """
    members = dict(body.model_extra or {})
    for name in members:
        if name.isidentifier() and len(name.encode()) > MOST_NAME_BYTES:
            raise InvalidRequest(
                f"The name of the parameter {name[:80]} … is too long: it may have {MOST_NAME_BYTES} bytes in UTF-8."
            )
    given = {} if body.field_secrets is MISSING else body.field_secrets
    files = {}
    for reference, parameter in REFERENCES.items():
        if (told := members.pop(reference, None)) is not None:
            if members.pop(parameter, None) is not None:
                raise Excluded(parameter, reference)
            files[parameter] = _file(reference, told, pools, caller)
    referred = {name: value for name, value in members.items() if _is_pool(value)}
    return Asked(
        parameters={name: value for name, value in members.items() if name not in referred},
        tags=() if body.field_tags is MISSING else tuple(body.field_tags),
        secrets={secret_variable(name): secret for name, secret in given.items()},
        pools=_pools(referred, pools, brought, caller),
        files=files,
    )


def device(service: Service) -> str:
    """The queue of its executions."""
    return device_of(service.name)


def job(service: Service, asked: Asked, caller: Caller, job_id: str, origin: str) -> NewJob:
    """The job that runs it. Secrets are named in it, no more."""
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
            "pools": {name: asdict(reference) for name, reference in asked.pools.items()},
            "files": asked.files,
        },
    )


def secret_variable(name: str) -> str:
    """The variable that a secret comes in: ibmToken and ibm_token in SECRET_IBM_TOKEN."""
    snake = name if name.isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
    return "SECRET_" + re.sub(r"[^A-Z0-9_]", "_", snake)


def _is_pool(value: Any) -> bool:
    """Whether it refers to a data pool, in either spelling of the vendor's."""
    return isinstance(value, dict) and str(value.get("ref", "")).upper() == "DATAPOOL" and "id" in value


def _pools(
    referred: Mapping[str, Any], pools: Pools, brought: Collection[str], caller: Caller
) -> Mapping[str, PoolReference]:
    """The data pools by parameter. One that the service brings along is there whatever the id, as in the vendor's server."""
    found = {}
    for parameter, value in referred.items():
        grant = value.get("grant")
        if not isinstance(value["id"], str) or not isinstance(grant, str | None) or not parameter.isidentifier():
            raise InvalidRequest(f"{parameter[:80]} refers to a data pool: its id, and its grant if any, are texts.")
        try:
            found[parameter] = pools.reference(value["id"], grant, caller)
        except UnknownPool:
            if parameter not in brought:
                raise
    return found


def _file(reference: str, told: Any, pools: Pools, caller: Caller) -> Mapping[str, str]:
    """The file that stands for a parameter; its data pool has to be the caller's."""
    pool, file = (told.get("dataPoolId"), told.get("fileId")) if isinstance(told, dict) else (None, None)
    if not isinstance(pool, str) or not isinstance(file, str):
        raise InvalidRequest(f"{reference} has to be an object with dataPoolId and fileId, both texts.")
    if all(each.id != file for each in pools.files(pool, caller)):
        raise UnknownFile(file)
    return {"pool": pool, "file": file}
