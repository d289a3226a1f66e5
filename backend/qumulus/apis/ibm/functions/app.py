"""The application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import files, functions, jobs
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.ibm.functions.schemas")
SUBJECTS = Subjects(jobs=("/api/v1/jobs/{id}",))

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def create(cloud: Cloud, *, accounts_install: bool = False) -> Asgi:
    """The gateway over ``cloud``; ``accounts_install`` says whether functions may ask for packages of their own.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.accounts_install = accounts_install
    serve(app, DOCUMENT, functions.operation, jobs.operation, files.operation, errors=ERRORS, subjects=SUBJECTS)
    return _without_last_slash(app)


def _without_last_slash(app: Asgi) -> Asgi:
    """Let paths end with a slash or not, as clients write them."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if len(path) > 1 and path.endswith("/"):
            raw = scope.get("raw_path") or path.encode()
            scope = {**scope, "path": path.rstrip("/"), "raw_path": raw.rstrip(b"/")}
        await app(scope, receive, send)

    return answer
