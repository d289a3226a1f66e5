"""What an engine is told of the jobs of its device: those that wait are its own from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from qumulus.core.jobs import Job
from qumulus.core.ports import FetchedQueue, JobStore

from .schemas.job import JobStatus
from .translate import jobs as translate

FETCHING = (None, JobStatus.SUBMITTED)
"""What an engine asks for when it wants jobs that wait; upstream gives them out to who asks for all, too."""


def listed(
    device: str,
    status: JobStatus | None,
    limit: int,
    after: datetime | None,
    lease: timedelta | None,
    jobs: JobStore,
    queue: FetchedQueue,
) -> Sequence[Job]:
    """Return the jobs of a device in a status, or in any; those that wait are fetched first."""
    fetched: list[Job] = []
    if status in FETCHING:
        queue.recover()
        fetched = [jobs.look(claim.job_id) for claim in queue.fetch(device, limit, lease)]
    if status is JobStatus.SUBMITTED:
        return fetched
    return jobs.find(translate.job_query(device, status, limit, after)).jobs
