"""Who sends a request to an API of PLANQK."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from qumulus.core import accounts
from qumulus.core.applications import Application
from qumulus.core.errors import NotAllowed, NotAuthenticated, UnknownApplication, UnknownJob

from .access_keys import UNKNOWN

SCHEME = "planqk"
ADMINISTRATOR = "admin"
SERVICES_ALONE = "The token of an application reaches the services that it has subscribed to, and nothing else."
ADMINISTRATOR_ONLY = "Others can reach this server: deploy with the administrator's token."

# the token that the program of a service has: it names the execution, and whose token that was started with
EXECUTION_TOKEN = re.compile(r"execution-(?P<execution>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(?P<token>.+)")
EXECUTION_HEADER = "x-planqk-service-execution-id"  # how the older quantum client says it
ProgramToken = Callable[[str], str]
NO_TOKEN = "Send a token from POST /token in the header Authorization, after the word Bearer."  # noqa: S105


def _account_token(token: str) -> str:
    """The token that an execution was started with, of which its program has its own form."""
    found = EXECUTION_TOKEN.fullmatch(token)
    return found["token"] if found else token


def _owner(request: Request, token: str) -> accounts.Caller:
    """Whose token it is: that of an account, of an application, or of the program of an execution.

    Raises:
        NotAuthenticated: it is unknown or has expired, or is an application's, which reaches services alone.
        NotAllowed: its application has not subscribed to the service.
    """
    cloud, found = request.app.state.cloud, EXECUTION_TOKEN.fullmatch(token)
    inner, execution = (found["token"], found["execution"]) if found else (token, None)
    application = request.app.state.access_keys.application(inner, cloud.clock.now(), execution)
    if application is None:
        return cloud.accounts.authenticate(SCHEME, inner)
    try:
        known = cloud.applications.application(application)
    except UnknownApplication:
        raise NotAuthenticated(UNKNOWN) from None
    request.state.starter = known.id
    if execution is None:
        _subscribed(request, known)
        request.state.application = known.id
    return accounts.Caller(account=known.account)


def _subscribed(request: Request, application: Application) -> None:
    service = request.path_params.get("service")
    if service is None:
        raise NotAuthenticated(SERVICES_ALONE)
    if not any(
        each.service == service
        for each in request.app.state.cloud.applications.subscriptions(application=application.id)
    ):
        raise NotAllowed(f"The application {application.name} has not subscribed to the service {service}.")


def authenticated(request: Request) -> accounts.Caller:
    """The owner of the bearer token.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotAuthenticated(NO_TOKEN)
    return _owner(request, token.strip())


def personally_authenticated(request: Request) -> accounts.Caller:
    """The owner of the token in X-Auth-Token or, where that is not sent, of the bearer token.

    Raises:
        NotAuthenticated: there is none, or it is unknown or has expired.
    """
    token = request.headers.get("x-auth-token", "").strip()
    if token:
        return _owner(request, token)
    return authenticated(request)


Caller = Annotated[accounts.Caller, Depends(authenticated)]


def _program_token(request: Request, caller: Caller) -> ProgramToken:
    """What makes the token for the program of an execution that the caller starts."""
    del caller
    return _making(request, request.headers["authorization"].partition(" ")[2])


def _making(request: Request, token: str) -> ProgramToken:
    """The program acts as whoever has started it: by the same token, or by one that is made for it where that would expire."""
    keys, application, inner = (
        request.app.state.access_keys,
        getattr(request.state, "starter", None),
        _account_token(token.strip()),
    )

    def made(execution: str) -> str:
        own = inner if application is None else keys.program(application, execution)
        return f"execution-{execution}-{own}"

    return made


MakesToken = Annotated[ProgramToken, Depends(_program_token)]
PersonalCaller = Annotated[accounts.Caller, Depends(personally_authenticated)]  # X-Auth-Token, or a bearer


def _personal_program_token(request: Request, caller: PersonalCaller) -> ProgramToken:
    """The same, where the token came in X-Auth-Token."""
    del caller
    token = request.headers.get("x-auth-token") or request.headers.get("authorization", "").partition(" ")[2]
    return _making(request, token)


MakesPersonalToken = Annotated[ProgramToken, Depends(_personal_program_token)]


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


def _execution(request: Request, caller: PersonalCaller) -> str | None:
    """The execution whose program sends the request; one that is not the caller's is none."""
    token = request.headers.get("x-auth-token") or request.headers.get("authorization", "").partition(" ")[2]
    return _named(request, caller, token)


def _calling_execution(request: Request, caller: Caller) -> str | None:
    """The same, of a request to a service, whose token is a bearer."""
    return _named(request, caller, request.headers["authorization"].partition(" ")[2])


def _named(request: Request, caller: accounts.Caller, token: str) -> str | None:
    """The execution that a token names, or else a header."""
    found = EXECUTION_TOKEN.fullmatch(token.strip())
    execution = found["execution"] if found else request.headers.get(EXECUTION_HEADER)
    try:
        return None if execution is None else request.app.state.cloud.jobs.get(execution, caller).id
    except UnknownJob:
        return None


SendingExecution = Annotated[str | None, Depends(_execution)]
CallingExecution = Annotated[str | None, Depends(_calling_execution)]


def _application(request: Request, caller: Caller) -> str | None:
    """The application that sends the request, where its token is one's."""
    del caller
    return getattr(request.state, "application", None)


CallingApplication = Annotated[str | None, Depends(_application)]
