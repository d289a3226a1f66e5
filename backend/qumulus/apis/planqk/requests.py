"""What a request to start an execution says: parameters, tags, secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from qumulus.core.accounts import Caller
from qumulus.core.errors import Excluded, InvalidRequest, UnknownPool
from qumulus.core.pools import PoolReference, Pools

from .executions import Asked, pool_file

MOST_NAME_BYTES = 250  # of a parameter: each is a file or a folder for its program
REFERENCES = {"dataRef": "data", "paramsRef": "params"}  # the first generation's: a file of a data pool is the value


def read(
    sent: Mapping[str, Any],
    pools: Pools,
    brought: Collection[str],
    caller: Caller,
    *,
    tags: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
) -> Asked:
    """The parts of a request: what was ``sent`` as parameters, and beside them.

    ``brought`` are the parameters that the service brings data pools along for.

    Raises:
        Excluded: a parameter and a reference in its place were both sent.
        InvalidRequest: a reference is none, or its grant is not good for it; or the name of a parameter is too long.
        UnknownPool, UnknownFile: what is referred to is not there for the caller.
    """
    members = dict(sent)
    for name in members:
        if name.isidentifier() and len(name.encode()) > MOST_NAME_BYTES:
            raise InvalidRequest(
                f"The name of the parameter {name[:80]} … is too long: it may have {MOST_NAME_BYTES} bytes in UTF-8."
            )
    files = {}
    for reference, parameter in REFERENCES.items():
        if (told := members.pop(reference, None)) is not None:
            if members.pop(parameter, None) is not None:
                raise Excluded(parameter, reference)
            files[parameter] = pool_file(reference, told, pools, caller)
    referred = {name: value for name, value in members.items() if _is_pool(value)}
    return Asked(
        parameters={name: value for name, value in members.items() if name not in referred},
        tags=tuple(tags),
        secrets={secret_variable(name): secret for name, secret in (secrets or {}).items()},
        pools=_pools(referred, pools, brought, caller),
        files=files,
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
