"""What a request to start an execution says: parameters, tags, secrets, data pools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import MISSING
from pydantic_core import to_json

from qumulus.core.accounts import Caller
from qumulus.core.errors import Excluded, InvalidRequest
from qumulus.core.jobs import NewJob
from qumulus.core.services import KIND, Service, device_of

from .schemas.execution import RequestBody

API = "planqk/service"
REFERENCES = {"dataRef": "data", "paramsRef": "params"}  # the first generation's: a file of a data pool is the value


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, taken apart."""

    parameters: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # by variable of the environment
    pools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by parameter
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by parameter


def read(body: RequestBody) -> Asked:
    """The parts of a request.

    Raises:
        InvalidRequest: a reference to a data pool is not whole.
    """
    members = dict(body.model_extra or {})
    given = {} if body.field_secrets is MISSING else body.field_secrets
    files = {}
    for reference, parameter in REFERENCES.items():
        value = members.pop(reference, None)
        if value is not None:
            if members.get(parameter) is not None:
                raise Excluded(parameter, reference)
            members.pop(parameter, None)
            files[parameter] = _file(reference, value)
    pools = {name: _pool(name, value) for name, value in members.items() if _is_pool(value)}
    return Asked(
        parameters={name: value for name, value in members.items() if name not in pools},
        tags=() if body.field_tags is MISSING else tuple(body.field_tags),
        secrets={secret_variable(name): secret for name, secret in given.items()},
        pools=pools,
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
        kind=KIND,
        api=API,
        payload=to_json(asked.parameters),
        name=service.title,
        tags=asked.tags,
        attempts=1,
        request={
            "secrets": sorted(asked.secrets),
            "pools": dict(asked.pools),
            "files": dict(asked.files),
            "service_id": str(service.id),
            "origin": origin,
        },
    )


def secret_variable(name: str) -> str:
    """The variable that a secret comes in: ibmToken and ibm_token in SECRET_IBM_TOKEN."""
    snake = name if name.isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
    return "SECRET_" + re.sub(r"[^A-Z0-9_]", "_", snake)


def _is_pool(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("ref", "")).upper() == "DATAPOOL" and "id" in value


def _pool(name: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not name.isidentifier() or len(name) > 100:
        raise InvalidRequest("A data pool has to be sent under the name of a parameter.")
    if not isinstance(value["id"], str):
        raise InvalidRequest(f"{name}.id has to be the id of a data pool, as text.")
    grant = value.get("grant")
    return {"pool": value["id"], "grant": grant if isinstance(grant, str) else None}


def _file(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(value.get(part), str) for part in ("dataPoolId", "fileId")):
        raise InvalidRequest(f"{name} has to name a file by dataPoolId and fileId.")
    return {"pool": value["dataPoolId"], "file": value["fileId"]}
