"""Who sends a request to an API of PLANQK."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Request

from qumulus.core import accounts
from qumulus.core.errors import NotAllowed, NotAuthenticated, UnknownJob

SCHEME = "planqk"
ADMINISTRATOR = "admin"
ADMINISTRATOR_ONLY = "Others can reach this server: deploy with the administrator's token."

# the token that the program of a service has: it names the execution, and whose token that was started with
EXECUTION_TOKEN = re.compile(r"execution-(?P<execution>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<token>.+)")
EXECUTION_HEADER = "x-planqk-service-execution-id"  # how the older quantum client says it
NO_TOKEN = "Send a token from POST /token in the header Authorization, after the word Bearer."  # noqa: S105


def execution_token(execution: str, token: str) -> str:
    """The token for the program of an execution that was started with ``token``."""
    return f"execution-{execution}-{token}"


def _account_token(token: str) -> str:
    """The token of the account, of which an execution may have its own form."""
    found = EXECUTION_TOKEN.fullmatch(token)
    return found["token"] if found else token


def authenticated(request: Request) -> accounts.Caller:
    """The owner of the bearer token.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotAuthenticated(NO_TOKEN)
    return request.app.state.cloud.accounts.authenticate(SCHEME, _account_token(token.strip()))


def personally_authenticated(request: Request) -> accounts.Caller:
    """The owner of the token in X-Auth-Token or, where that is not sent, of the bearer token.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
    """
    token = request.headers.get("x-auth-token", "").strip()
    if token:
        return request.app.state.cloud.accounts.authenticate(SCHEME, _account_token(token))
    return authenticated(request)


Caller = Annotated[accounts.Caller, Depends(authenticated)]


async def _bearer(request: Request, caller: Caller) -> str:
    """The token itself, once it is known; for the program, which may call the quantum API with it."""
    del caller
    return _account_token(request.headers["authorization"].partition(" ")[2].strip())


Bearer = Annotated[str, Depends(_bearer)]
PersonalCaller = Annotated[accounts.Caller, Depends(personally_authenticated)]  # X-Auth-Token, or a bearer


async def _personal_token(request: Request, caller: PersonalCaller) -> str:
    """The token itself, once it is known; for the program of an execution."""
    del caller
    token = request.headers.get("x-auth-token") or request.headers.get("authorization", "").partition(" ")[2]
    return _account_token(token.strip())


PersonalToken = Annotated[str, Depends(_personal_token)]


def deploying(request: Request) -> accounts.Caller:
    """Who may deploy services: every account where nobody else can reach the server, the administrator elsewhere.

    Raises:
        NotAuthenticated: there is no token, or it is unknown.
        NotAllowed: it is not the administrator's, and others can reach the server.
    """
    token = (request.headers.get("x-auth-token") or request.headers.get("authorization", "").partition(" ")[2]).strip()
    try:
        return (
            personally_authenticated(request) if request.app.state.accounts_deploy else _administrator(request, token)
        )
    except NotAuthenticated:
        return _administrator(request, token)


def _administrator(request: Request, token: str) -> accounts.Caller:
    known = request.app.state.cloud.accounts
    try:
        return known.authenticate(ADMINISTRATOR, token)
    except NotAuthenticated:
        personally_authenticated(request)
        raise NotAllowed(ADMINISTRATOR_ONLY) from None


Deployer = Annotated[accounts.Caller, Depends(deploying)]


async def _execution(request: Request, caller: PersonalCaller) -> str | None:
    """The execution whose program sends the request; one that is not the caller's is none."""
    token = request.headers.get("x-auth-token") or request.headers.get("authorization", "").partition(" ")[2]
    found = EXECUTION_TOKEN.fullmatch(token.strip())
    execution = found["execution"] if found else request.headers.get(EXECUTION_HEADER)
    try:
        return None if execution is None else request.app.state.cloud.jobs.get(execution, caller).id
    except UnknownJob:
        return None


SendingExecution = Annotated[str | None, Depends(_execution)]
