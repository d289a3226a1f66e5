"""The jobs of all accounts."""

from __future__ import annotations

from qumulus.apis.dependencies import Jobs
from qumulus.core import jobs as core
from qumulus.core.accounts import Caller
from qumulus.core.errors import UnknownFile, UnknownJob, WrongState
from qumulus.core.ports import JobQuery, JobStore
from qumulus.openapi.contract import Operations
from qumulus.payloads import SIMULATED

from .callers import Administrator
from .schemas.accounts import AccountId
from .schemas.jobs import (
    ApiName,
    FileName,
    Files,
    Job,
    JobId,
    JobState,
    Limit,
    Log,
    Offset,
    Queue,
    SearchText,
    SessionId,
)
from .schemas.jobs import Jobs as JobList
from .translate import jobs as translate

operation = Operations()


@operation("listJobs")
def list_jobs(
    administrator: Administrator,
    jobs: Jobs,
    state: JobState | None = None,
    device: Queue | None = None,
    api: ApiName | None = None,
    account: AccountId | None = None,
    session: SessionId | None = None,
    q: SearchText | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> JobList:
    """A page of jobs, newest first."""
    query = JobQuery(
        states=None if state is None else frozenset([core.JobState(state)]),
        device=None if device is None else device.lower(),
        api=api,
        account=account,
        session=session,
        text=q,
        limit=limit,
        offset=offset,
    )
    page = jobs.find(query)
    return JobList(jobs=[translate.job(job) for job in page.jobs], total=page.total)


@operation("getJob")
def get_job(job_id: JobId, administrator: Administrator, jobs: Jobs) -> Job:
    """One job."""
    return translate.job(_any(job_id, jobs))


@operation("cancelJob")
def cancel_job(job_id: JobId, administrator: Administrator, jobs: Jobs) -> Job:
    """The job, in the name of its owner."""
    owner = Caller(account=_any(job_id, jobs).account)
    return translate.job(jobs.cancel(job_id, owner))


@operation("rerunJob")
def rerun_job(job_id: JobId, administrator: Administrator, jobs: Jobs) -> Job:
    """Another job with the same program, in the name of the same owner."""
    known = _any(job_id, jobs)
    if known.kind not in SIMULATED:
        raise WrongState("The job is a program of a user, whose secrets are not kept: its owner has to call it again.")
    return translate.job(jobs.submit(core.repeated(known, jobs.payload(known.id))))


@operation("getJobLog")
def get_job_log(job_id: JobId, administrator: Administrator, jobs: Jobs) -> Log:
    """What its runs wrote."""
    return translate.log(jobs.log(_any(job_id, jobs).id))


@operation("getJobResult")
def get_job_result(job_id: JobId, administrator: Administrator, jobs: Jobs) -> bytes:
    """The result as it is stored."""
    content, _media_type = jobs.result(_any(job_id, jobs).id)
    return content


@operation("listJobFiles")
def list_job_files(job_id: JobId, administrator: Administrator, jobs: Jobs) -> Files:
    """The names of what its run left."""
    return Files(files=list(jobs.files(_any(job_id, jobs).id)))


@operation("getJobFile")
def get_job_file(job_id: JobId, file: FileName, administrator: Administrator, jobs: Jobs) -> bytes:
    """A file that its run left."""
    known = _any(job_id, jobs).id
    if file not in jobs.files(known):
        raise UnknownFile(file)
    return jobs.file(known, file)


def _any(job_id: str, jobs: JobStore) -> core.Job:
    """A job of any account.

    Raises:
        UnknownJob
    """
    for job in jobs.find(JobQuery(id=job_id, limit=1, counted=False)).jobs:
        return job
    raise UnknownJob(job_id)
