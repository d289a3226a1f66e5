"""One service at the root of the server, as the vendor's local server has it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from qumulus.core.errors import UnknownService
from qumulus.core.services import Services

from .addresses import AT_ROOT

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class AtRoot:
    """Gives `/` and `/{id}…` to the service, under the paths of the document; everything else to ``otherwise``."""

    def __init__(self, service: str, services: Services, app: App, otherwise: App) -> None:
        self._service = service
        self._services = services
        self._app = app
        self._otherwise = otherwise

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        path: str = scope["path"]
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        if first and not _is_id(first):
            await self._otherwise(scope, receive, send)
            return
        base = f"/services/{self._service}"
        inside = base if not first and scope["method"] == "GET" and self._oldest() else base + (path or "/")
        await self._app({**scope, "path": inside, "raw_path": inside.encode(), AT_ROOT: self._service}, receive, send)

    def _oldest(self) -> bool:
        """Whether GET of the root is asked by a client of the first generation; the service itself says so."""
        try:
            return self._services.service(self._service).api_version == 1
        except UnknownService:
            return False


def _is_id(segment: str) -> bool:
    try:
        uuid.UUID(segment)
    except ValueError:
        return False
    return True
