"""How our own API says what went wrong: `{"detail": "A sentence."}`."""

from __future__ import annotations

from qumulus.openapi.contract import Errors, Problem

from .schemas.error import Error


def _body(model: type[Error], problem: Problem) -> Error:
    return model(detail=problem.message)


ERRORS = Errors(body=_body, otherwise=Error)
