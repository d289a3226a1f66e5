"""The application."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from qumulus.apis.planqk.access_keys import AccessKeys
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import (
    accounts,
    applications,
    datapools,
    files,
    jobs,
    listings,
    managed_services,
    my,
    observability,
    service_executions,
    service_jobs,
    services,
    subscriptions,
    versions,
)
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.platform.schemas")


def create(cloud: Cloud, *, secret: Callable[[], bytes], accounts_deploy: bool = False) -> FastAPI:
    """Services, executions and data pools over ``cloud``, with paths as in the document: without the prefix of a mount.

    ``accounts_deploy`` says whether every account may deploy services, or the administrator alone.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.access_keys = AccessKeys(secret)
    app.state.accounts_deploy = accounts_deploy
    modules = (
        accounts,
        applications,
        datapools,
        files,
        jobs,
        listings,
        managed_services,
        my,
        observability,
        service_executions,
        service_jobs,
        services,
        subscriptions,
        versions,
    )
    serve(app, DOCUMENT, *(module.operation for module in modules), errors=ERRORS)
    return app
