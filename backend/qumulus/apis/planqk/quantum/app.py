"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import backends, jobs
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.quantum.schemas")


def create(cloud: Cloud) -> FastAPI:
    """Backends and jobs over ``cloud``, with paths as in the document: without the prefix of a mount.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    serve(app, DOCUMENT, backends.operation, jobs.operation, errors=ERRORS)
    return app
