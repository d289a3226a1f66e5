"""What a request to start an execution says: parameters, tags, secrets."""

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


def read(body: RequestBody) -> Asked:
    """The parts of a request.

    Raises:
        Excluded: a parameter and a reference in its place were both sent.
        InvalidRequest: a file of a data pool is referred to, and there are none.
    """
    members = dict(body.model_extra or {})
    given = {} if body.field_secrets is MISSING else body.field_secrets
    for reference, parameter in REFERENCES.items():
        if members.pop(reference, None) is not None:
            if members.get(parameter) is not None:
                raise Excluded(parameter, reference)
            raise InvalidRequest(f"This server keeps no data pools: send {parameter} itself instead of {reference}.")
    return Asked(
        parameters={name: value for name, value in members.items() if not _is_pool(value)},
        tags=() if body.field_tags is MISSING else tuple(body.field_tags),
        secrets={secret_variable(name): secret for name, secret in given.items()},
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
            "service_id": str(service.id),
            "origin": origin,
        },
    )


def secret_variable(name: str) -> str:
    """The variable that a secret comes in: ibmToken and ibm_token in SECRET_IBM_TOKEN."""
    snake = name if name.isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
    return "SECRET_" + re.sub(r"[^A-Z0-9_]", "_", snake)


def _is_pool(value: Any) -> bool:
    """Whether it refers to a data pool: the program sees the one that its service brings along for the parameter."""
    return isinstance(value, dict) and str(value.get("ref", "")).upper() == "DATAPOOL" and "id" in value
