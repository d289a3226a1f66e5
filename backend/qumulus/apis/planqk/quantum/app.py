"""The application."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from qumulus.apis.planqk.access_keys import AccessKeys
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import backends, calibrations, jobs, known, normalized, sessions, workloads
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.quantum.schemas")
SUBJECTS = Subjects(
    jobs=("/jobs/{id}", "/service-executions/{serviceExecutionId}/jobs/{id}"),
    devices=("/backends/{id}",),
    members=("backend_id",),
    device=known.device_of,
    submits=("createJob",),
    results=("getJobResult", "getNormalizedJobResult", "getJobResultStream"),
)


def create(cloud: Cloud, *, secret: Callable[[], bytes]) -> FastAPI:
    """Backends, jobs and sessions over ``cloud``, with paths as in the document: without the prefix of a mount.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.access_keys = AccessKeys(secret)
    modules = (backends, calibrations, jobs, normalized, sessions, workloads)
    serve(
        app,
        DOCUMENT,
        *(module.operation for module in modules),
        errors=ERRORS,
        subjects=SUBJECTS,
        read_elsewhere=(jobs.EXECUTION,),
    )
    return app
