"""How the gateway says what went wrong: one message."""

from __future__ import annotations

from qumulus.core.errors import WrongState
from qumulus.openapi.contract import STATUSES, Errors, Problem

from . import arguments
from .schemas.error import Error, InvalidArguments


def _body(model: type[Error], problem: Problem) -> Error:
    if issubclass(model, InvalidArguments) and isinstance(problem.error, arguments.InvalidArguments):
        return model(message=problem.message, path=problem.error.path)
    return model(message=problem.message)


class JobEnded(WrongState):
    """A function tells of an error after its end."""

    def __init__(self) -> None:
        super().__init__("You can create events on active jobs only")


ERRORS = Errors(body=_body, otherwise=Error, statuses={**STATUSES, JobEnded: 403})
