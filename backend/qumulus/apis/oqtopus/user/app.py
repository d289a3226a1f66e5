"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import hello, tasks
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.oqtopus.user.schemas")


def create(cloud: Cloud, *, token_needed: bool = False) -> FastAPI:
    """The User API over ``cloud``.

    Args:
        cloud: what the handlers call.
        token_needed: whether the task API wants a token as well; its own document asks for none.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.token_needed = token_needed
    serve(app, DOCUMENT, hello.operation, tasks.operation, errors=ERRORS)
    return app
