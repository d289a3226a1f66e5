"""The application."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI

from qumulus.apis.oqtopus.presigning import Presigning
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import devices, hello, jobs
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.oqtopus.provider.schemas")
SUBJECTS = Subjects(jobs=("/jobs/{jobId}",), devices=("/devices/{deviceId}",), members=("device_id",), device=str.lower)


def create(cloud: Cloud, *, secret: bytes, lease: timedelta | None = None) -> FastAPI:
    """The Provider API over ``cloud``.

    Args:
        cloud: what the handlers call.
        secret: what presigned requests to the storage are signed with.
        lease: after how long without a word from its engine a fetched job is given to the next; None: never.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.presigning = Presigning(secret, cloud.clock)
    app.state.lease = lease
    serve(app, DOCUMENT, hello.operation, jobs.operation, devices.operation, errors=ERRORS, subjects=SUBJECTS)
    return app
