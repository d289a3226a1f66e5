"""How the Provider API says what went wrong: a sentence in `message`, in upstream's words where there are some."""

from __future__ import annotations

from pydantic import BaseModel

from qumulus.core.errors import InvalidRequest, UnknownJob, WrongState
from qumulus.openapi.contract import Errors, Problem

from .schemas.failure import NotFoundError


class NoTransition(WrongState):
    """The job is not in a state from which it can come to the reported one."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The specified job is not a status that allows transition to the status: {status}")


class NotAFile(InvalidRequest):
    """No file of that name can be uploaded for, or reported of, this job."""


class ForeignFile(WrongState):
    """An engine reports a file of another job."""

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(f"Invalid output file key: {key[:200]} for job_id: {job_id}")


class KnownCalibration(WrongState):
    """The device has information of that time already."""

    def __init__(self, device: str) -> None:
        super().__init__(f"Device {device} has information calibrated at that time already: send a later one.")


def _body(model: type[BaseModel], problem: Problem) -> BaseModel:
    message = "Job not found" if isinstance(problem.error, UnknownJob) else problem.message
    return model.model_validate({"message": message})


ERRORS = Errors(body=_body, otherwise=NotFoundError)
