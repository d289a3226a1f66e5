"""The application."""

from __future__ import annotations

from fastapi import FastAPI

from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Subjects, serve

from . import login
from .errors import ERRORS
from .pool import UserPool

DOCUMENT = Document("qumulus.apis.oqtopus.login.schemas")


def create(cloud: Cloud, *, secret: bytes, password: str, totp: str | None = None) -> FastAPI:
    """The login over ``cloud``.

    Args:
        cloud: what the handlers call.
        secret: what tokens are signed with.
        password: that of the local user.
        totp: the secret of the user's second factor, in base32; None: any code of six digits is good.

    Raises:
        ContractError: a handler differs from the document.
    """
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    app.state.pool = UserPool(secret, password, totp, cloud.accounts, cloud.clock)
    serve(app, DOCUMENT, login.operation, errors=ERRORS, subjects=Subjects())
    return app
