"""What an engine reports of a job that it fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownJob
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import Claim, JobQueue, JobStore

from . import translate
from .errors import NoTransition
from .schemas.job import JobStatusUpdate, ReportedStatus


def report(job: Job, body: JobStatusUpdate, jobs: JobStore, queue: JobQueue, lease: timedelta | None) -> None:
    """Bring the job to the reported status.

    Raises:
        NoTransition: nobody has fetched it, or it is not in a status from which it can come there.
        ForeignFile, NotAFile: a file that is named is another job's, or not there.
    """
    if isinstance(body.output_files, list):
        translate.check_outputs(body.output_files, job, jobs.files(job.id))
    try:
        claim = queue.held(job.id)
    except UnknownJob:
        raise NoTransition(body.status) from None
    if not STEPS[body.status](claim, job, body, jobs, queue):
        raise NoTransition(body.status)
    if lease is not None and body.status is ReportedStatus.RUNNING:
        queue.heartbeat(f"provider:{job.device}", [claim], lease)


def _start(claim: Claim, _job: Job, _body: JobStatusUpdate, _jobs: JobStore, queue: JobQueue) -> bool:
    return queue.start(claim)


def _finish(claim: Claim, job: Job, body: JobStatusUpdate, _jobs: JobStore, queue: JobQueue) -> bool:
    return queue.finish(claim, translate.outcome(body, job))


def _cancel(claim: Claim, job: Job, _body: JobStatusUpdate, jobs: JobStore, queue: JobQueue) -> bool:
    if job.state is not JobState.CANCELLING:
        jobs.cancel(job.id, Caller(account=job.account))
    queue.release(claim, counted=False, reason="The engine of the device cancelled it.")
    return True


STEPS: Mapping[ReportedStatus, Callable[[Claim, Job, JobStatusUpdate, JobStore, JobQueue], bool]] = {
    ReportedStatus.RUNNING: _start,
    ReportedStatus.SUCCEEDED: _finish,
    ReportedStatus.FAILED: _finish,
    ReportedStatus.CANCELLED: _cancel,
}
