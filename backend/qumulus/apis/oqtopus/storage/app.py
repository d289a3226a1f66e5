"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.apis.oqtopus.presigning import Presigning
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import files
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.oqtopus.storage.schemas")


def create(cloud: Cloud, *, secret: bytes) -> FastAPI:
    """The storage over ``cloud``; ``secret`` is what presigned requests are signed with.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.presigning = Presigning(secret, cloud.clock)
    serve(app, DOCUMENT, files.operation, errors=ERRORS, subjects=Subjects(results=("downloadJobFile",)))
    return app
