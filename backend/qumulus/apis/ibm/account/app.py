"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import operations
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.ibm.account.schemas")


def create(cloud: Cloud) -> FastAPI:
    """The account services over ``cloud``.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    serve(app, DOCUMENT, operations.operation, errors=ERRORS, subjects=Subjects(tokens=("createToken",)))
    return app
