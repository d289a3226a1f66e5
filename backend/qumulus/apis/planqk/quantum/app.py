"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import backends, calibrations, jobs, sessions
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.quantum.schemas")


def create(cloud: Cloud) -> FastAPI:
    """Backends, jobs and sessions over ``cloud``, with paths as in the document: without the prefix of a mount.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    parts = (backends.operation, calibrations.operation, jobs.operation, sessions.operation)
    serve(app, DOCUMENT, *parts, errors=ERRORS)
    return app
