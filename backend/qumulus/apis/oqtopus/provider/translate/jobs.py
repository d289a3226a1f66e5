"""Between the words of the Provider API and the core's."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from qumulus.apis.oqtopus.job_files import INPUT, JOB_API, ONLY_OF, OUTPUTS, key
from qumulus.apis.oqtopus.names import shown
from qumulus.apis.oqtopus.provider.errors import ForeignFile, NotAFile
from qumulus.apis.oqtopus.provider.schemas.job import Job as WireJob
from qumulus.apis.oqtopus.provider.schemas.job import JobStatus, JobStatusUpdate, ReportedStatus
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import Catalogue, JobQuery
from qumulus.core.results import Failure, Outcome

JOB_STATUS: Mapping[JobState, JobStatus] = {
    JobState.QUEUED: JobStatus.SUBMITTED,
    JobState.CLAIMED: JobStatus.READY,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.CANCELLING: JobStatus.CANCELLING,
    JobState.SUCCEEDED: JobStatus.SUCCEEDED,
    JobState.FAILED: JobStatus.FAILED,
    JobState.CANCELLED: JobStatus.CANCELLED,
}

MEMBERS = tuple(WireJob.model_fields)
_KEY = re.compile(rf"([^/]+)/({'|'.join((INPUT, *OUTPUTS))})\.zip")


def job_query(device: str, status: JobStatus | None, limit: int, after: datetime | None) -> JobQuery:
    """Which jobs of a device a list shows, oldest first."""
    states = JOB_STATUS if status is None else (state for state, name in JOB_STATUS.items() if name is status)
    return JobQuery(
        device=device,
        api=JOB_API,
        states=frozenset(states),
        created_after=after,
        descending=False,
        limit=limit,
        counted=False,
    )


def job(job: Job, devices: Catalogue, address: Callable[[str], str], members: Collection[str] = MEMBERS) -> WireJob:
    """A job as its engine sees it; ``address`` gives where a file can be downloaded, by its key."""
    known: dict[str, Any] = {
        **job.request,
        "job_id": job.id,
        "name": job.name or "",
        "description": job.note or "",
        "device_id": shown(job.device, devices),
        "shots": job.shots,
        "input": address(key(job.id, INPUT)),
        "status": JOB_STATUS[job.state],
        "execution_time": job.run_seconds,
        "submitted_at": job.queued_at,
        "ready_at": job.claimed_at,
        "running_at": job.running_at,
        "ended_at": job.ended_at,
    }
    return WireJob.model_validate(
        {name: value for name, value in known.items() if name in members and value is not None}
    )


def members(fields: str | None) -> tuple[str, ...]:
    """The members that a list is asked for.

    Raises:
        NotAFile: one is no member of a job.
    """
    if not fields:
        return MEMBERS
    named = tuple(name.strip() for name in fields.split(","))
    if unknown := [name for name in named if name not in MEMBERS]:
        raise NotAFile(f"fields {unknown} is invalid")
    return named


def uploads(items: str, job: Job) -> list[str]:
    """The keys of the files that an engine wants to upload.

    Raises:
        NotAFile: no such file, or not of this type of job.
    """
    named = [item.strip() for item in items.split(",")]
    if unknown := [item for item in named if item not in OUTPUTS]:
        raise NotAFile(f"Unsupported item(s) for upload: {unknown}")
    _check_type(named, job)
    return [key(job.id, item) for item in named]


def check_outputs(keys: Collection[str], job: Job, there: Collection[str]) -> None:
    """Hold that all files that an engine names are this job's and have been uploaded.

    Raises:
        ForeignFile: one is another job's.
        NotAFile: one is no file of a job, or is not there.
    """
    for each in keys:
        found = _KEY.fullmatch(each)
        if found is None:
            raise NotAFile(f"Invalid output file key: {each[:200]}")
        if found[1] != job.id:
            raise ForeignFile(each, job.id)
        _check_type([found[2]], job)
        if f"{found[2]}.zip" not in there:
            raise NotAFile(f"Output file {each} not found")


def _check_type(items: Collection[str], job: Job) -> None:
    kind = job.request.get("job_type")
    for item in items:
        if ONLY_OF.get(item, kind) != kind:
            raise NotAFile(f"Unsupported item: {item} for job type: {kind}")


def outcome(body: JobStatusUpdate, job: Job) -> Outcome:
    """How a run ended, as its engine tells it. What fails before it ran never came to the device."""
    seconds = body.execution_time if isinstance(body.execution_time, int | float) else 0.0
    if body.status is ReportedStatus.SUCCEEDED:
        return Outcome(run_seconds=seconds)
    failure = Failure.PROGRAM if job.state is JobState.CLAIMED else Failure.CRASHED
    reason = body.message if isinstance(body.message, str) else "The engine of the device gave no reason."
    return Outcome(failure=failure, reason=reason, run_seconds=seconds)
