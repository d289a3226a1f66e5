"""Versions of the API: dates, and what changed on each, as the service's change log has them.

A request behaves as of the newest change that is not after its version.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import date
from enum import Enum
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError

from qumulus.core.errors import InvalidRequest, NotFound

from .schemas.version import ApiVersion

HEADER = "IBM-API-Version"
ASSUMED = "2024-01-01"  # what the service takes a request without a version for
UPSTREAM = "/api/v1"  # how the prefixes of upstream's addresses end

SUNSETS: dict[str, date | None] = {  # version -> the day on which it stops to be served
    "2024-01-01": date(2027, 1, 1),
    "2025-01-01": date(2027, 1, 1),
    "2025-05-01": date(2027, 1, 1),
    "2026-02-01": date(2027, 2, 1),
    "2026-02-15": date(2027, 2, 15),
    "2026-03-15": None,
    "2026-04-15": None,
}
_version: TypeAdapter[str] = TypeAdapter(ApiVersion)


class Change(Enum):
    """A change of behaviour; its value is the version that brought it."""

    DEVICES_ARE_OBJECTS = "2025-01-01"  # before: a list of names
    NO_TRANSPILED_CIRCUITS = "2026-02-01"
    CHARGED_SECONDS = (
        "2026-03-15"  # `usage` says what is charged; `bss`, `usage.quantum_seconds`, `usage.seconds` are gone
    )
    EXECUTION_TIME_APART = "2026-04-15"  # `usage.circuits_execution_time_ns` moves to the root of the metrics


class UnknownVersion(InvalidRequest):
    """The header is missing, is not a date, or is after the newest version."""

    def __init__(self) -> None:
        newest = max(SUNSETS)
        super().__init__(
            f"The header {HEADER} must be a date from {ASSUMED} to {newest}: GET /v1/versions lists the versions."
        )


class Gone(NotFound):
    """The version has no such operation any more."""

    def __init__(self, change: Change) -> None:
        super().__init__(f"This operation is gone since version {change.value}: send an older {HEADER}.")


class Behaviour:
    """What a request's version asks for."""

    def __init__(self, version: str) -> None:
        self.version = version

    def has(self, change: Change) -> bool:
        """Whether the change is in force."""
        return self.version >= change.value


def asked_for(request: Request) -> Behaviour:
    """The behaviour that a request asks for.

    Raises:
        UnknownVersion
    """
    try:
        return Behaviour(_version.validate_python(request.headers.get(HEADER, "")))
    except ValidationError:
        raise UnknownVersion from None


def _behaviour(request: Request) -> Behaviour:
    return asked_for(request)


Version = Annotated[Behaviour, Depends(_behaviour)]

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


def assuming_a_version(app: App) -> App:
    """The API under upstream's addresses: there, a request without a version is taken for one of the first version."""
    name, value = HEADER.lower().encode(), ASSUMED.encode()

    async def with_version(scope: Scope, receive: Any, send: Any) -> None:
        upstream = scope["type"] == "http" and scope.get("root_path", "").endswith(UPSTREAM)
        if upstream and not any(header == name for header, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (name, value)]}
        await app(scope, receive, send)

    return with_version
