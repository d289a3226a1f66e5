"""What an engine reports of a job that it fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from qumulus.apis.oqtopus.job_files import OUTPUTS, inline
from qumulus.apis.oqtopus.unpacking import unpacked
from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownJob
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import Claim, FetchedQueue, JobStore

from .errors import NoTransition
from .schemas.job import JobStatusUpdate, ReportedStatus
from .translate import jobs as translate


def report(job: Job, body: JobStatusUpdate, jobs: JobStore, queue: FetchedQueue) -> None:
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


def _start(claim: Claim, _job: Job, _body: JobStatusUpdate, _jobs: JobStore, queue: FetchedQueue) -> bool:
    return queue.start(claim)


def _succeed(claim: Claim, job: Job, body: JobStatusUpdate, jobs: JobStore, queue: FetchedQueue) -> bool:
    if inline(job):
        there = [name for name in OUTPUTS if f"{name}.zip" in jobs.files(job.id)]
        shown = unpacked({name: jobs.file(job.id, f"{name}.zip") for name in there})
        return queue.finish(claim, replace(translate.outcome(body, job), files=shown))
    return _finish(claim, job, body, jobs, queue)


def _finish(claim: Claim, job: Job, body: JobStatusUpdate, _jobs: JobStore, queue: FetchedQueue) -> bool:
    return queue.finish(claim, translate.outcome(body, job))


def _cancel(claim: Claim, job: Job, _body: JobStatusUpdate, jobs: JobStore, queue: FetchedQueue) -> bool:
    if job.state is not JobState.CANCELLING:
        jobs.cancel(job.id, Caller(account=job.account))
    queue.release(claim, counted=False, reason="The engine of the device cancelled it.")
    return True


def _hand_back(claim: Claim, _job: Job, _body: JobStatusUpdate, _jobs: JobStore, queue: FetchedQueue) -> bool:
    return queue.release(claim, counted=False, reason="The engine of the device handed it back.") is not None


STEPS: Mapping[ReportedStatus, Callable[[Claim, Job, JobStatusUpdate, JobStore, FetchedQueue], bool]] = {
    ReportedStatus.SUBMITTED: _hand_back,
    ReportedStatus.RUNNING: _start,
    ReportedStatus.SUCCEEDED: _succeed,
    ReportedStatus.FAILED: _finish,
    ReportedStatus.CANCELLED: _cancel,
}
