"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.apis.ibm import names
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import accounts, analytics, backends, callers, changes, instances, jobs, sessions, versions, workloads
from .documents import RenderedDocuments
from .errors import ERRORS
from .limits import ServiceLimits

DOCUMENT = Document("qumulus.apis.ibm.runtime.schemas")
SUBJECTS = Subjects(
    jobs=("/jobs/{id}",),
    devices=("/backends/{id}",),
    members=("backend",),
    device=names.core_or_unknown,
    submits=("runJob",),
    results=("getJobResults",),
)


def create(cloud: Cloud, *, service_limits: bool = True) -> changes.App:
    """The Qiskit Runtime REST API over ``cloud``, with its paths as in the document: without the prefix of a mount.

    ``service_limits`` says whether requests are held to the limits of the service itself.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.service_limits = ServiceLimits(service_limits)
    app.state.documents = RenderedDocuments(cloud.catalogue)
    serve(
        app,
        DOCUMENT,
        accounts.operation,
        analytics.operation,
        backends.operation,
        instances.operation,
        jobs.operation,
        sessions.operation,
        versions.operation,
        workloads.operation,
        errors=ERRORS,
        subjects=SUBJECTS,
        read_elsewhere=(callers.INSTANCE, changes.HEADER),
    )
    return changes.assuming_a_version(app)
