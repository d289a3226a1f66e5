"""Jobs of the core and executions of the platform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import MISSING
from pydantic_core import to_jsonable_python

from qumulus.apis.planqk.results import merged
from qumulus.apis.planqk.service.schemas.execution import Kind, LogEntry, ServiceExecution, Severity, Status
from qumulus.core.jobs import Job, JobState
from qumulus.core.results import LogLine
from qumulus.core.services import Service, ServiceState

STATUSES: Mapping[JobState, Status] = {
    JobState.REGISTERED: Status.PENDING,
    JobState.QUEUED: Status.PENDING,
    JobState.CLAIMED: Status.PENDING,
    JobState.RUNNING: Status.RUNNING,
    JobState.CANCELLING: Status.RUNNING,
    JobState.SUCCEEDED: Status.SUCCEEDED,
    JobState.FAILED: Status.FAILED,
    JobState.CANCELLED: Status.CANCELLED,
}
INSTALLING = "It waits for the packages of the service, which are being installed."


def execution(job: Job, service: Service) -> ServiceExecution:
    """A job as an execution of its service."""
    application = job.request.get("application")
    return ServiceExecution(
        id=UUID(job.id),
        created_at=_time(job.created_at),
        started_at=MISSING if job.running_at is None else _time(job.running_at),
        ended_at=MISSING if job.ended_at is None else _time(job.ended_at),
        status=STATUSES[job.state],
        type=Kind.MANAGED,
        service_id=service.id,
        service_definition_id=service.definition_id,
        application_id=MISSING if application is None else UUID(application),
        tags=list(job.tags) or MISSING,
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def log_entry(line: LogLine) -> LogEntry:
    """A line of the log."""
    return LogEntry(message=line.text, severity=Severity(line.severity), timestamp=line.time)


def log(job: Job, service: Service, lines: Sequence[LogLine]) -> list[LogEntry]:
    """The log of an execution; before there is one, what is waited for."""
    waits = job.state is JobState.QUEUED and service.state is ServiceState.BUILDING
    told = [LogLine(service.deployed_at, INSTALLING)] if waits else lines
    return [log_entry(line) for line in told]


def result(job: Job, service: Service, base: str, files: Iterable[str], members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the result, with the links to its files and the status; ``base`` is the address of the service."""
    address = f"{base}/{job.id}"
    status = to_jsonable_python(execution(job, service), by_alias=True)
    return merged(members, status, files, execution=address, result=f"{address}/result")
