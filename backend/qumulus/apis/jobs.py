"""What handlers of every API ask of one job: that it is the caller's and of this API, and to wait for its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, Request

from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, UnknownJob
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import JobStore

from .dependencies import Settled

CANCELLED = frozenset({JobState.CANCELLING.value, JobState.CANCELLED.value})
RESULT_SECONDS = 5.0  # a request for a result is held: there is nothing to see before the end


def hold(
    parameter: str, authenticated: Callable[..., Any], seconds: float | None = None
) -> Callable[..., Awaitable[bool]]:
    """Return a dependency that holds a request until its job is final: clients look once and then sleep.

    ``parameter`` is the parameter of the path that holds the job's id. ``authenticated`` is the dependency that lets
    the caller in: who may not ask is not held. ``seconds`` is how long a request is held at most; None means the setting.
    The dependency gives whether the job is final.
    """

    admission = Depends(authenticated)

    async def held(request: Request, settled: Settled, caller: Any = admission) -> bool:
        del caller
        return await settled.wait(request.path_params[parameter], seconds)

    return held


def own(
    job_id: str,
    caller: Caller,
    jobs: JobStore,
    belongs: Callable[[Job], bool],
    unknown: type[UnknownJob] = UnknownJob,
) -> Job:
    """Return the caller's job, if it ``belongs`` to the API that is asked: a job of another one is as unknown as none.

    Raises:
        UnknownJob: in the words of ``unknown``.
    """
    return _belonging(lambda: jobs.get(job_id, caller), job_id, belongs, unknown)


def anybodys(job_id: str, jobs: JobStore, belongs: Callable[[Job], bool]) -> Job:
    """Return a job, whoever owns it, if it ``belongs`` to the API that is asked.

    Raises:
        UnknownJob
    """
    return _belonging(lambda: jobs.look(job_id), job_id, belongs, UnknownJob)


def _belonging(look: Callable[[], Job], job_id: str, belongs: Callable[[Job], bool], unknown: type[UnknownJob]) -> Job:
    try:
        job = look()
    except UnknownJob:
        raise unknown(job_id) from None
    if not belongs(job):
        raise unknown(job_id)
    return job


def cancel(job_id: str, caller: Caller, jobs: JobStore) -> None:
    """Ask for the end of a job; of one that is cancelled already, or about to be, nothing changes.

    Raises:
        UnknownJob, IllegalTransition
    """
    try:
        jobs.cancel(job_id, caller)
    except IllegalTransition as error:
        if error.state not in CANCELLED:
            raise
