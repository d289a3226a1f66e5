"""Jobs of functions."""

from __future__ import annotations

import json
from types import MappingProxyType
from uuid import UUID

from qumulus.apis.ibm.functions.schemas.job import Job, Program, StatusName, Summary
from qumulus.core import jobs
from qumulus.core.jobs import JobState

STATUSES = MappingProxyType(
    {
        JobState.REGISTERED: StatusName.PENDING,
        JobState.QUEUED: StatusName.QUEUED,
        JobState.CLAIMED: StatusName.PENDING,
        JobState.RUNNING: StatusName.RUNNING,
        JobState.CANCELLING: StatusName.RUNNING,
        JobState.SUCCEEDED: StatusName.SUCCEEDED,
        JobState.FAILED: StatusName.FAILED,
        JobState.CANCELLED: StatusName.STOPPED,
    }
)


def states(status: StatusName | None) -> frozenset[JobState] | None:
    """The states that a status stands for; None for all."""
    return None if status is None else frozenset(state for state, said in STATUSES.items() if said is status)


def summary(job: jobs.Job) -> Summary:
    """A job as lists show it."""
    told = job.request["function"]
    return Summary(
        id=job.id,
        status=STATUSES[job.state],
        sub_status=job.request.get("sub_status") if job.state is JobState.RUNNING else None,
        created=job.created_at,
        program=Program(id=UUID(told["id"]), title=told["title"], provider=told.get("provider")),
        compute_profile=None,
    )


def job(known: jobs.Job, result: str | None = None) -> Job:
    """A job, with its result as JSON text."""
    return Job(**dict(summary(known)), result=result)


def result(known: jobs.Job, saved: str | None) -> str | None:
    """The result as JSON text: what the function saved, or why it failed."""
    if known.state is JobState.FAILED:
        return json.dumps(known.reason or "It failed.")
    return saved
