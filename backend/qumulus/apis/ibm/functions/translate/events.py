"""What happened to a job: what became of it, what it said that it was doing, and the errors that it told of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from qumulus.apis.ibm.functions.schemas.job import Event, StatusName
from qumulus.core.jobs import Job

from .jobs import STATUSES

ERROR, STATUS, SUB_STATUS = "ERROR", "STATUS_CHANGE", "SUB_STATUS_CHANGE"
GATEWAY, SCHEDULER = "API", "SCHEDULER"


def events(job: Job) -> list[Event]:
    """All events, in the order in which they happened."""
    return sorted([*_statuses(job), *_told(job)], key=lambda event: event.created)


def _statuses(job: Job) -> Iterator[Event]:
    yield _event(STATUS, GATEWAY, "RUN_PROGRAM", job.created_at, status=StatusName.QUEUED)
    if job.running_at is not None:
        yield _event(STATUS, SCHEDULER, "UPDATE_JOB_STATUS", job.running_at, status=StatusName.RUNNING)
    if job.ended_at is not None:
        ended = STATUSES[job.state]
        origin, context = (GATEWAY, "STOP_JOB") if ended is StatusName.STOPPED else (SCHEDULER, "UPDATE_JOB_STATUS")
        yield _event(STATUS, origin, context, job.ended_at, status=ended)


def _told(job: Job) -> Iterator[Event]:
    for each in job.request.get("sub_statuses", ()):
        created = datetime.fromisoformat(each["created"])
        yield _event(SUB_STATUS, GATEWAY, "SET_SUB_STATUS", created, sub_status=each["said"])
    for each in job.request.get("errors", ()):
        yield _event(ERROR, GATEWAY, "SEND_ERROR", datetime.fromisoformat(each["created"]), **each["data"])


def _event(kind: str, origin: str, context: str, created: datetime, **data: object) -> Event:
    return Event(event_type=kind, origin=origin, context=context, created=created, data=data)
