"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import datapools, files
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.platform.schemas")


def create(cloud: Cloud) -> FastAPI:
    """Data pools over ``cloud``, with paths as in the document: without the prefix of a mount.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    serve(app, DOCUMENT, datapools.operation, files.operation, errors=ERRORS)
    return app
