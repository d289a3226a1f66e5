"""Who sends a request to an API of PLANQK."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.core import accounts
from qumulus.core.errors import NotAuthenticated

SCHEME = "planqk"

NO_TOKEN = "Send a token from POST /token in the header Authorization, after the word Bearer."  # noqa: S105


def authenticated(request: Request) -> accounts.Caller:
    """The owner of the bearer token.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotAuthenticated(NO_TOKEN)
    return request.app.state.cloud.accounts.authenticate(SCHEME, token.strip())


def personally_authenticated(request: Request) -> accounts.Caller:
    """The owner of the token in X-Auth-Token or, where that is not sent, of the bearer token.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
    """
    token = request.headers.get("x-auth-token", "").strip()
    if token:
        return request.app.state.cloud.accounts.authenticate(SCHEME, token)
    return authenticated(request)


Caller = Annotated[accounts.Caller, Depends(authenticated)]


async def _bearer(request: Request, caller: Caller) -> str:
    """The token itself, once it is known; for the program, which may call the quantum API with it."""
    del caller
    return request.headers["authorization"].partition(" ")[2].strip()


Bearer = Annotated[str, Depends(_bearer)]
PersonalCaller = Annotated[accounts.Caller, Depends(personally_authenticated)]  # X-Auth-Token, or a bearer
