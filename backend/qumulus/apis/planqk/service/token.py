"""The client credentials grant: a token for access key id and secret."""

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Applications, Clock, Leading
from qumulus.apis.given import given
from qumulus.apis.planqk.access_keys import SECONDS, AccessKeys
from qumulus.apis.planqk.callers import SCHEME
from qumulus.core.errors import NotAuthenticated, UnknownApplication
from qumulus.openapi.contract import Operations

from .schemas.token import TokenRequest, TokenResponse

NO_KEY = "Send the access key id and the secret access key in the header Authorization (Basic), or in the form."

operation = Operations()


def _basic(request: Request) -> tuple[str, str] | None:
    """The access key id and the secret in the header Authorization, where there is one."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        key_id, found, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise NotAuthenticated(NO_KEY) from None
    return (key_id, secret) if key_id and found else ("", "")


def _access_keys(request: Request) -> AccessKeys:
    return request.app.state.access_keys


@operation("getToken")
def get_token(
    body: TokenRequest,
    accounts: Accounts,
    applications: Applications,
    clock: Clock,
    basic: Annotated[tuple[str, str] | None, Depends(_basic)],
    keys: Annotated[AccessKeys, Depends(_access_keys)],
    leading: Leading,
) -> TokenResponse:
    in_form = given(body.client_id, ""), given(body.client_secret, "")
    key_id, secret = in_form if basic is None else basic
    if not secret:
        raise NotAuthenticated(NO_KEY)
    if keys.fits(key_id, secret):
        with contextlib.suppress(UnknownApplication):  # it was removed: its key is as unknown as any other
            token = keys.token(applications.application(key_id).id, clock.now())
            return TokenResponse(access_token=leading + token, token_type="Bearer", expires_in=SECONDS)  # noqa: S106
    accounts.authenticate(SCHEME, secret)
    return TokenResponse(access_token=leading + secret, token_type="Bearer", expires_in=SECONDS)  # noqa: S106
