"""The application."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from qumulus.apis.dependencies import Accounts
from qumulus.core import accounts as core
from qumulus.core.cloud import Cloud
from qumulus.openapi.contract import Document, Errors, Operations, Problem, serve

from .schemas.hello import Greeting, Refusal

DOCUMENT = Document("apis.fourth.schemas")
ERRORS = Errors(body=lambda model, problem: _refusal(model, problem), otherwise=Refusal)

operation = Operations()


def _refusal(model: type[Refusal], problem: Problem) -> Refusal:
    return model(why=problem.message)


def _caller(request: Request, accounts: Accounts) -> core.Caller:
    return accounts.authenticate("acme", request.headers.get("X-Acme", ""))


Caller = Annotated[core.Caller, Depends(_caller)]


@operation("sayHello")
def say_hello(caller: Caller) -> Greeting:
    """Whom the credential is of."""
    return Greeting(hello=caller.account)


def create(cloud: Cloud) -> FastAPI:
    """The API over ``cloud``."""
    app = FastAPI(openapi_url=None)
    app.state.cloud = cloud
    serve(app, DOCUMENT, operation, errors=ERRORS)
    return app
