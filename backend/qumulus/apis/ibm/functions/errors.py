"""How the gateway says what went wrong: one message."""

from __future__ import annotations

from qumulus.openapi.contract import Errors, Problem

from .schemas.error import Error


def _body(model: type[Error], problem: Problem) -> Error:
    return model(message=problem.message)


ERRORS = Errors(body=_body, otherwise=Error)
