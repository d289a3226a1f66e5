"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import accounts, datapools, files, jobs, services, versions
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.platform.schemas")


def create(cloud: Cloud, accounts_deploy: bool = False) -> FastAPI:
    """Services, executions and data pools over ``cloud``, with paths as in the document: without the prefix of a mount.

    ``accounts_deploy`` says whether every account may deploy services, or the administrator alone.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.accounts_deploy = accounts_deploy
    modules = (accounts, datapools, files, jobs, services, versions)
    serve(app, DOCUMENT, *(module.operation for module in modules), errors=ERRORS)
    return app
