"""How the user API says what went wrong: a problem document (RFC 7807)."""

from __future__ import annotations

from http import HTTPStatus

from qumulus.openapi.contract import Errors, Problem

from .schemas.error import Problem as ProblemBody


def _body(model: type[ProblemBody], problem: Problem) -> ProblemBody:
    title = HTTPStatus(problem.status).phrase
    return model(
        type="about:blank", title=title, status=problem.status, detail=problem.message, error_message=problem.message
    )


ERRORS = Errors(body=_body, otherwise=ProblemBody)
