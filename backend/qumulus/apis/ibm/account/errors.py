"""Core errors as these services word them: identity in one form, all others in another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from qumulus.core.tracing import TRACE, new_trace
from qumulus.openapi.contract import Errors, Problem

from .schemas.error import Error, IdentityError
from .schemas.error import Errors as Container

IDENTITY_CODES = {400: "BXNIM0109E", 401: "BXNIM0415E", 413: "BXNIM0101E"}
CODES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 413: "too_large"}


def body(declared: type[Any], problem: Problem) -> BaseModel:
    """The body that the operation declares."""
    trace = str(UUID(TRACE.get() or new_trace()))
    if declared is IdentityError:
        code = IDENTITY_CODES.get(problem.status, "BXNIM0999E")
        return IdentityError(error_code=code, error_message=problem.message, request_id=trace)
    error = Error(code=CODES.get(problem.status, "internal_error"), message=problem.message)
    return Container(errors=[error], trace=trace, status_code=problem.status)


ERRORS = Errors(body=body, otherwise=Container)
