"""Services that are deployed."""

from __future__ import annotations

import base64

from qumulus.apis.emulator.schemas import services as wire
from qumulus.apis.given import given, said
from qumulus.core import services as core
from qumulus.core.errors import InvalidRequest


def service(known: core.Service, origin: str) -> wire.Service:
    """A service; ``origin`` is the address of this server."""
    return wire.Service(
        name=known.name,
        title=known.title,
        description=known.description,
        version=known.version,
        state=wire.State(known.state),
        reason=said(known.reason),
        entrypoint=known.entrypoint,
        api_version=known.api_version,
        deployed_at=known.deployed_at,
        url=f"{origin}/services/{known.name}",
    )


def deployment(body: wire.Deployment) -> core.Deployment:
    """How a service is to be run."""
    return core.Deployment(entrypoint=given(body.entrypoint), strict=given(body.strict))


def files(body: wire.Deployment) -> dict[str, bytes]:
    """The files of a service, by path.

    Raises:
        InvalidRequest: the content of one is not base64.
    """
    return {name: _decoded(name, content) for name, content in body.files.items()}


def _decoded(name: str, content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        raise InvalidRequest(f"The content of {name[:200]!r} is not base64.") from None
