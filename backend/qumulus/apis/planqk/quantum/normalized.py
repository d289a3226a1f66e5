"""Inputs and results of jobs in one form for all backends, and results as files."""

from __future__ import annotations

from qumulus.apis.dependencies import Jobs
from qumulus.core import jobs as core
from qumulus.core.errors import NoResult
from qumulus.core.ports import JobStore
from qumulus.openapi.contract import Operations, Rendered, Reply

from .jobs import Awaited, Known, get_job_result
from .schemas import job as wire
from .schemas.normalized import Input, Memory, Result
from .translate import jobs as translate
from .translate import normalized

NONE = 204

operation = Operations()


@operation("getNormalizedJobInput")
@operation("getServiceExecutionNormalizedJobInput")
def get_normalized_job_input(id: wire.JobId, known: Known, jobs: Jobs) -> Input:
    del id
    return normalized.normalized_input(known, jobs.payload(known.id))


@operation("getNormalizedJobResult")
@operation("getServiceExecutionNormalizedJobResult")
def get_normalized_job_result(id: wire.JobId, awaited: Awaited, known: Known, jobs: Jobs) -> Result | Reply[None]:
    del id, awaited
    return normalized.result(known, stored(known, jobs)) or Reply(None, NONE)


@operation("getNormalizedJobMemory")
def get_normalized_job_memory(id: wire.JobId, awaited: Awaited, known: Known, jobs: Jobs) -> Memory | Reply[None]:
    del id, awaited
    found = stored(known, jobs)
    return (None if found is None else normalized.memory(known, found)) or Reply(None, NONE)


@operation("getJobResultStream")
@operation("getServiceExecutionJobResultStream")
def get_job_result_stream(
    id: wire.JobId, awaited: Awaited, known: Known, jobs: Jobs, x_fern_runtime: wire.Client | None = None
) -> Reply[Rendered[wire.JobResult]]:
    whole = get_job_result(id, awaited, known, jobs, x_fern_runtime)
    return Reply(whole, headers={"Content-Disposition": f'attachment; filename="{known.id}.json"'})


def stored(job: core.Job, jobs: JobStore) -> bytes | None:
    """What a job has left; None where it has failed.

    Raises:
        NoResult: it has not ended, or was cancelled.
    """
    if job.state is core.JobState.SUCCEEDED:
        return jobs.result(job.id)[0]
    if job.state is core.JobState.FAILED:
        return None
    raise NoResult(job.id, translate.STATUSES[job.state])
