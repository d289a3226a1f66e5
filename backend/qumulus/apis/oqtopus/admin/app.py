"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import announcements, devices, users, whitelist
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.oqtopus.admin.schemas")
RESOURCES = (devices, announcements, users, whitelist)
SUBJECTS = Subjects(devices=("/devices/{deviceId}",), device=str.lower)


def create(cloud: Cloud) -> FastAPI:
    """The Admin API over ``cloud``.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    serve(app, DOCUMENT, *(resource.operation for resource in RESOURCES), errors=ERRORS, subjects=SUBJECTS)
    return app
