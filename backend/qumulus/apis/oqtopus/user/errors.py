"""How the User API says what went wrong: the task API in `detail`, today's in `message`; one sentence either way."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pydantic import BaseModel

from qumulus.core.errors import InvalidRequest, UnknownJob, WrongState
from qumulus.openapi.contract import Errors, Problem, Refused

from .schemas.error import NotFoundError

TASK_ID = "taskId"


class UnknownTask(UnknownJob):
    """In the words of the task API's document."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id, "task not found with given id")


class UnknownUserJob(UnknownJob):
    """In the words of the job API's service."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id, "job not found with the given id")


class NoResultYet(WrongState):
    """The task has not ended."""

    def __init__(self, task_id: str, status: str) -> None:
        super().__init__(f"Task {task_id} has no result yet: it is {status}.")


class BadJob(InvalidRequest):
    """A job cannot be submitted so; in upstream's words, which people search for."""


class WrongStatus(InvalidRequest):
    """The job is not in a status in which this can be done; a 400 in this API, in upstream's words."""

    def __init__(self, job_id: str, what: str, *valid: str) -> None:
        *most, last = (f"'{status}'" for status in valid)
        names = f"{', '.join(most)} and {last}" if most else last
        plural = "es" if most else ""
        super().__init__(f"{job_id} job is not in valid status for {what} (valid status{plural} for {what}: {names})")


@contextmanager
def valid(job_id: str, what: str, *statuses: str) -> Generator[None]:
    """Say in upstream's words that a job is in no status for ``what``, which the ``statuses`` are.

    Raises:
        WrongStatus
    """
    try:
        yield
    except WrongState:
        raise WrongStatus(job_id, what, *statuses) from None


class BadFields(InvalidRequest):
    """A list is asked for members that jobs do not have."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(f"fields {unknown} is invalid")


def _body(model: type[BaseModel], problem: Problem) -> BaseModel:
    """The declared class, whose only member holds the sentence."""
    (member,) = model.model_fields
    return model(**{member: _sentence(problem)})


def _sentence(problem: Problem) -> str:
    if problem.error is None:
        return "internal server error"
    if isinstance(problem.error, Refused) and TASK_ID in problem.error.places:
        return "invalid task_id"
    return problem.message


ERRORS = Errors(body=_body, otherwise=NotFoundError)
