"""How the User API says what went wrong: the task API in `detail`, today's in `message`; one sentence either way."""

from __future__ import annotations

from pydantic import BaseModel

from qumulus.core.errors import UnknownJob, WrongState
from qumulus.openapi.contract import Errors, Problem

from .schemas.error import NotFoundError

BAD_TASK_ID = "The request is not as declared: taskId:"


class UnknownTask(UnknownJob):
    """In the words of the task API's document."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.message = "task not found with given id"


class NoResultYet(WrongState):
    """The task has not ended."""

    def __init__(self, task_id: str, status: str) -> None:
        super().__init__(f"Task {task_id} has no result yet: it is {status}.")


def _body(model: type[BaseModel], problem: Problem) -> BaseModel:
    """The declared class, whose only member holds the sentence."""
    (member,) = model.model_fields
    return model(**{member: _sentence(problem)})


def _sentence(problem: Problem) -> str:
    if problem.error is None:
        return "internal server error"
    return "invalid task_id" if problem.message.startswith(BAD_TASK_ID) else problem.message


ERRORS = Errors(body=_body, otherwise=NotFoundError)
