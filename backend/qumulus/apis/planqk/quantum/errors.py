"""How the quantum API says what went wrong."""

from __future__ import annotations

from qumulus.openapi.contract import STATUSES, Errors, Problem

from .schemas.error import Error
from .translate.normalized import NotRenderable


def _body(model: type[Error], problem: Problem) -> Error:
    told = problem.message
    return model(status=problem.status, error_message=told, error=told, detail=told)


ERRORS = Errors(body=_body, otherwise=Error, statuses={**STATUSES, NotRenderable: 422})
