"""Core errors as the service words them: a container with a code of its registry, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from qumulus.core import errors as core
from qumulus.core.tracing import TRACE, new_trace
from qumulus.openapi.contract import STATUSES, Errors, Fault, Problem
from qumulus.payloads import runtime_errors
from qumulus.payloads.runtime_errors import (
    NO_SESSION_IN_PLAN,
    SESSION_CLOSED,
    TOO_MANY_PENDING,
    TOO_MANY_REQUESTS,
    TOO_MANY_TAGS,
)

from .changes import UnknownVersion
from .limits import NoSessionInPlan, TooManyPending, TooManyRequests, TooManyTags
from .programs import UnknownProgram
from .schemas.error import Error, ErrorContainer

MORE = "https://quantum.cloud.ibm.com/docs/errors#{}"


class Entry(NamedTuple):
    """A line of the registry of error codes (quantum.cloud.ibm.com/docs/errors)."""

    code: int
    solution: str
    said: str = ""  # what the service says of it, before what is said here


def of_the_service(code: int) -> Entry:
    """A line as the service has it."""
    return Entry(code, runtime_errors.REGISTRY[code].solution)


def beginning_as(code: int, solution: str) -> Entry:
    """A line whose message is the service's, and goes on in words of ours."""
    return Entry(code, solution, runtime_errors.REGISTRY[code].message)


REGISTRY: Mapping[type, Entry] = {
    core.QumulusError: Entry(3220, "Send the request as the API's document says; /docs has it."),
    UnknownProgram: Entry(3211, "Send one of the programs that the message names."),
    UnknownVersion: Entry(1214, "Send one of the versions that GET /v1/versions lists."),
    core.NotAuthenticated: beginning_as(1201, "Send a token of this server; qumulus env ibm prints one."),
    core.NotAllowed: beginning_as(1200, "Use the credentials and the instance of the account that has this."),
    core.LimitReached: Entry(1244, "Raise the limit of the instance, or use another one."),
    core.QuotaReached: Entry(1244, "Delete jobs that you don't need any more."),
    core.UnknownDevice: beginning_as(1007, "List the backends to see the names."),
    core.UnknownCalibration: beginning_as(1009, "Read the id of the calibration in the properties of the backend."),
    core.DeviceUnavailable: beginning_as(1004, "Use another backend to run the job."),
    core.UnknownJob: Entry(1291, "Check the id of the job, and that it is one of your instance."),
    core.UnknownSession: Entry(1292, "Check the id of the session, and that it is one of your instance."),
    core.SessionClosed: of_the_service(SESSION_CLOSED),
    NoSessionInPlan: of_the_service(NO_SESSION_IN_PLAN),
    TooManyPending: of_the_service(TOO_MANY_PENDING),
    TooManyTags: of_the_service(TOO_MANY_TAGS),
    TooManyRequests: of_the_service(TOO_MANY_REQUESTS),
    core.WrongState: Entry(1228, "Read the state of the job or session; it may have ended meanwhile."),
    core.Unavailable: Entry(1202, "Send the request again in a little while."),
}
TOO_LARGE = Entry(3248, "Send fewer circuits in a job.")
INJECTED = "The fault was asked for: list the faults of the emulator to see by whom."
MISTAKE = Entry(1000, "Send the request again; if it fails again, the server's log says why.")


def body(_declared: type[Any], problem: Problem) -> ErrorContainer:
    """The container for what went wrong; every error of this API has it."""
    entry = _entry(problem)
    message = f"{entry.said} {problem.message}".strip()
    error = Error(code=entry.code, message=message, solution=entry.solution, more_info=MORE.format(entry.code))
    return ErrorContainer(errors=[error], trace=str(UUID(TRACE.get() or new_trace())), status_code=problem.status)


def _entry(problem: Problem) -> Entry:
    if problem.error is None:
        return MISTAKE
    if isinstance(problem.error, Fault) and problem.error.code is not None:
        return Entry(problem.error.code, INJECTED)
    if problem.status == 413:  # the body itself, which no error of the core tells of
        return TOO_LARGE
    return next(entry for each in type(problem.error).__mro__ if (entry := REGISTRY.get(each)))


ERRORS = Errors(
    body=body, otherwise=ErrorContainer, statuses={**STATUSES, core.LimitReached: 409, TooManyRequests: 429}
)
