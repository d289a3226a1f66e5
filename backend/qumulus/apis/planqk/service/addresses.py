"""The addresses that answers name: those that the request came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Origin

AT_ROOT = "qumulus.service_at_root"  # in the scope: the name of the service that is served at the root
RELATIVE = "qumulus.relative_links"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services are, seen from the client."""

    origin: str  # such as http://127.0.0.1:8080
    at_root: str | None = None
    relative: bool = False

    def of(self, service: str) -> str:
        """The address of a service, without a slash at its end."""
        path = "" if service == self.at_root else f"/services/{service}"
        return path if self.relative else self.origin + path


def _base(request: Request, origin: Origin) -> Addresses:
    relative = bool(request.scope.get(RELATIVE) or getattr(request.app.state, "relative_links", False))
    return Addresses(origin, request.scope.get(AT_ROOT), relative)


Base = Annotated[Addresses, Depends(_base)]
