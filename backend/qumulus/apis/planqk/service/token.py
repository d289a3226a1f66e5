"""The client credentials grant: a token for access key id and secret."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Depends, Request
from pydantic import MISSING

from qumulus.apis.dependencies import Accounts
from qumulus.apis.planqk.callers import SCHEME
from qumulus.core.errors import NotAuthenticated
from qumulus.openapi.contract import Operations

from .schemas.token import TokenRequest, TokenResponse

SECONDS = 3600
NO_KEY = "Send the access key id and the secret access key in the header Authorization (Basic), or in the form."

operation = Operations()


async def _basic(request: Request) -> str | None:
    """The secret in the header Authorization, where there is one."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        key_id, found, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise NotAuthenticated(NO_KEY) from None
    return secret if key_id and found else ""


@operation("getToken")
def get_token(body: TokenRequest, accounts: Accounts, basic: Annotated[str | None, Depends(_basic)]) -> TokenResponse:
    in_form = "" if body.client_secret is MISSING else body.client_secret
    secret = in_form if basic is None else basic
    if not secret:
        raise NotAuthenticated(NO_KEY)
    accounts.authenticate(SCHEME, secret)
    return TokenResponse(access_token=secret, token_type="Bearer", expires_in=SECONDS)  # noqa: S106
