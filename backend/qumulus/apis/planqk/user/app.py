"""The application."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from qumulus.apis.planqk.access_keys import AccessKeys
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, serve

from . import access_tokens, people, profiles
from .errors import ERRORS

DOCUMENT = Document("qumulus.apis.planqk.user.schemas")


def create(cloud: Cloud, *, secret: Callable[[], bytes]) -> FastAPI:
    """People and their tokens over ``cloud``, with paths as in the document: without the prefix of a mount.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.access_keys = AccessKeys(secret)
    serve(app, DOCUMENT, *(module.operation for module in (access_tokens, people, profiles)), errors=ERRORS)
    return app
