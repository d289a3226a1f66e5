"""Operations on versions."""

from __future__ import annotations

from pydantic import MISSING

from qumulus.openapi.contract import Operations

from . import changes
from .schemas.version import Status, Version, VersionsResponse

operation = Operations()


@operation("listVersions")
def list_versions() -> VersionsResponse:
    """All versions, oldest first."""
    versions = [
        Version(version=version, status=Status.DEPRECATED if sunset else Status.LIVE, sunset_date=sunset or MISSING)
        for version, sunset in sorted(changes.SUNSETS.items())
    ]
    return VersionsResponse(versions=versions)
