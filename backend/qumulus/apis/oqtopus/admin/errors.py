"""How the Admin API says what went wrong: a sentence in `message`, in upstream's words where there are some."""

from __future__ import annotations

from pydantic import BaseModel

from qumulus.core.errors import InvalidRequest
from qumulus.openapi.contract import Errors, Problem

from .schemas.failure import NotFoundError


class BadDevice(InvalidRequest):
    """The device can't be registered or changed so."""


def _body(model: type[BaseModel], problem: Problem) -> BaseModel:
    return model.model_validate({"message": problem.message})


ERRORS = Errors(body=_body, otherwise=NotFoundError)
