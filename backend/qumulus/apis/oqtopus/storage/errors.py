"""How the storage says what went wrong: a sentence in `message`."""

from __future__ import annotations

from pydantic import BaseModel

from qumulus.core.errors import WrongState
from qumulus.openapi.contract import STATUSES, Errors, Problem

from .schemas.failure import NotFoundError


def _body(model: type[BaseModel], problem: Problem) -> BaseModel:
    return model.model_validate({"message": problem.message})


ERRORS = Errors(body=_body, otherwise=NotFoundError, statuses={**STATUSES, WrongState: 403})
