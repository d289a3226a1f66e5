"""How the login says what went wrong: by the name of Cognito's class, with a sentence."""

from __future__ import annotations

from pydantic import BaseModel

from qumulus.core.errors import AccountClosed, InvalidRequest, NotAuthenticated, QumulusError
from qumulus.openapi.contract import STATUSES, Errors, Problem

from .schemas.failure import Refused


class WrongPassword(NotAuthenticated):
    """In Cognito's words, which do not tell whether there is such a user."""

    def __init__(self) -> None:
        super().__init__("Incorrect username or password.")


class CodeMismatch(NotAuthenticated):
    """The code of the second factor is another one."""

    def __init__(self) -> None:
        super().__init__("Invalid code received for user: send the six digits that the authenticator shows.")


class Expired(NotAuthenticated):
    """A session or token is not from here, or too old."""

    def __init__(self) -> None:
        super().__init__("Invalid session for the user: log in again.")


class BadParameter(InvalidRequest):
    """Something is missing, or not what it should be."""


TYPES: dict[type[QumulusError], str] = {
    CodeMismatch: "CodeMismatchException",
    AccountClosed: "UserNotConfirmedException",
    NotAuthenticated: "NotAuthorizedException",
}


def _body(model: type[BaseModel], problem: Problem) -> BaseModel:
    other = "InternalErrorException" if problem.status >= 500 else "InvalidParameterException"
    kind = next((name for each, name in TYPES.items() if isinstance(problem.error, each)), other)
    return model.model_validate({"__type": kind, "message": problem.message})


ERRORS = Errors(body=_body, otherwise=Refused, statuses={**STATUSES, NotAuthenticated: 400, AccountClosed: 400})
