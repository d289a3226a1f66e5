"""Errors as responses: one table an API, and the body that the operation declares for the status."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Response
from pydantic import BaseModel

from qumulus.core.errors import (
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    QumulusError,
    Unavailable,
    WrongState,
)

from .document import JSON, Answer, Declared
from .replies import rendered
from .rules import Fault

MISTAKE = "The server made a mistake and wrote it to its log: send the request again, or report it with the log."
MOST_SHOWN = 5

STATUSES: Mapping[type[QumulusError], int] = {
    InvalidRequest: 400,
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    WrongState: 409,
    Unavailable: 503,
}


class Refused(QumulusError):
    """The contract itself refuses a request: not JSON, too large, no such path or method.

    ``statuses`` are tried in this order; the first that the operation declares is answered. ``places`` are the parameters and
    members of the body that are not as declared, by the wire's names.
    """

    def __init__(
        self, message: str, *statuses: int, headers: Mapping[str, str] | None = None, places: Collection[str] = ()
    ) -> None:
        super().__init__(message)
        self.statuses = statuses
        self.places = frozenset(places)
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Problem:
    """What the body of an error is filled from."""

    status: int
    message: str  # a whole sentence, safe to show
    error: QumulusError | None  # None: a mistake of the server


@dataclass(frozen=True, slots=True)
class Errors:
    """How one API says what went wrong.

    ``body`` fills the class that the operation declares for the status; ``otherwise`` is the class where no operation
    is known: unknown paths and methods. The most specific class of ``statuses`` decides.
    """

    body: Callable[[type[Any], Problem], BaseModel]
    otherwise: type[BaseModel]
    statuses: Mapping[type[QumulusError], int] = field(default_factory=lambda: STATUSES)
    headers: Callable[[Problem], Mapping[str, str]] = lambda _problem: {}

    def status_of(self, error: QumulusError) -> Sequence[int]:
        """Return the statuses to try for ``error``, best first."""
        if isinstance(error, Refused):
            return error.statuses
        return [
            self.statuses[each]
            for each in type(error).__mro__
            if issubclass(each, QumulusError) and each in self.statuses
        ]

    def response(self, error: QumulusError | None, operation: Declared | None) -> Response | None:
        """Return the response for ``error``; None when the operation declares no status that fits."""
        if error is None:
            problem = Problem(500, MISTAKE, None)
        elif isinstance(error, Fault):
            return self._fault(error, operation)
        else:
            candidates = self.status_of(error)
            declared = operation.answers if operation else candidates
            status = next((each for each in candidates if each in declared), None)
            if status is None:
                return None
            problem = Problem(status, error.message, error)
        return self._filled(problem, operation.answers.get(problem.status) if operation else None)

    def _fault(self, fault: Fault, operation: Declared | None) -> Response:
        """Return the response for a fault, in the form that the operation declares for its status, or for any other error."""
        declared = operation.answers if operation else {}
        if fault.cause is not None:
            candidates = self.status_of(fault.cause)
            status = next((each for each in candidates if each in declared), candidates[0])
            error: QumulusError = fault.cause
        else:
            status, error = fault.status or 500, fault
        errors = (answer for status, answer in sorted(declared.items()) if status >= 400 and answer.type is not None)
        answer = declared.get(status) or next(errors, None)
        return self._filled(Problem(status, fault.message, error), answer)

    def _filled(self, problem: Problem, answer: Answer | None) -> Response:
        headers = {**self.headers(problem), **_headers(problem.error)}
        if answer is not None and answer.type is None:
            return Response(status_code=problem.status, headers=headers)
        body = self.body(answer.type if answer else self.otherwise, problem)
        return Response(rendered(body), problem.status, headers, JSON)


def _headers(error: QumulusError | None) -> Mapping[str, str]:
    if isinstance(error, Refused | Fault):
        return error.headers
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after_seconds)}
    return {}


def invalid(errors: Sequence[Mapping[str, Any]]) -> Refused:
    """Return the sentence for values that do not validate; it does not repeat them, as they may be secret."""
    shown = [_complaint(each) for each in errors[:MOST_SHOWN]]
    if len(errors) > MOST_SHOWN:
        shown.append(f"and {len(errors) - MOST_SHOWN} more")
    places = map(_place, errors)
    return Refused(f"The request is not as declared: {'; '.join(shown)}.", 400, 422, 404, places=tuple(places))


def _complaint(error: Mapping[str, Any]) -> str:
    message = error["msg"][:1].lower() + error["msg"][1:]
    return f"{_place(error) or 'the body'}: {message}"


def _place(error: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path", "header"))
