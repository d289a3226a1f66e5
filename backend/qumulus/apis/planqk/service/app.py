"""The application."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from qumulus.apis.planqk.access_keys import AccessKeys
from qumulus.core.cloud import Cloud
from qumulus.core.services import device_of
from qumulus.openapi.contract import Document, Subjects, serve

from . import executions, results, token
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.service.schemas")
SUBJECTS = Subjects(
    jobs=("/services/{service}/{id}",),
    devices=("/services/{service}",),
    device=device_of,
    submits=("startExecution", "startExecutionWithoutSlash"),
    results=("getResult", "getResultFile"),
    tokens=("getToken",),
)


def create(cloud: Cloud, *, secret: Callable[[], bytes], relative_links: bool = False) -> FastAPI:
    """Executions of managed services over ``cloud``; links name the whole address unless they are ``relative_links``.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.access_keys = AccessKeys(secret)
    app.state.relative_links = relative_links
    serve(app, DOCUMENT, executions.operation, results.operation, token.operation, errors=ERRORS, subjects=SUBJECTS)
    return app
