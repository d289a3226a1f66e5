"""Workloads: jobs of no session, and sessions, in one list."""

from __future__ import annotations

from qumulus.apis.dependencies import Clock, Jobs, Sessions
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations

from .schemas import workload as wire
from .schemas.job import Page, Size, Sort
from .translate import jobs as translate_jobs
from .translate import workloads as translate

MOST = 10_000  # jobs that are looked at, the newest
SESSIONS = "ibm."  # how the backends with sessions begin

operation = Operations()


@operation("getWorkloads")
def get_workloads(
    caller: PersonalCaller,
    jobs: Jobs,
    sessions: Sessions,
    clock: Clock,
    page: Page = 0,
    size: Size = 20,
    sort: Sort | None = None,
    type: wire.Types | None = None,
    status: wire.Statuses | None = None,
    provider: wire.Providers | None = None,
    backend_id: wire.Backends | None = None,
    tag: wire.Tags | None = None,
    origin: wire.Origins | None = None,
    service_execution_id: wire.Executions | None = None,
) -> wire.Page:
    sent = jobs.find(
        JobQuery(account=caller.account, api=translate_jobs.API, alone=True, limit=MOST, counted=False)
    ).jobs
    opened = sessions.beginning(SESSIONS, caller.account)
    counted = {session.id: _count(jobs, caller.account, session.id) for session in opened}
    every = [
        *(translate.of_job(job) for job in sent),
        *(translate.of_session(session, counted[session.id], clock.now()) for session in opened),
    ]
    wanted = translate.Wanted(
        type=type,
        status=status,
        provider=provider,
        backend=backend_id,
        tag=tag,
        origin=origin,
        execution=service_execution_id,
    )
    return translate.page(filter(wanted.has, every), page, size, descending=translate_jobs.descending(sort))


@operation("getServiceExecutionWorkloads")
def get_service_execution_workloads(
    service_execution_id: wire.ExecutionId,
    caller: PersonalCaller,
    jobs: Jobs,
    sessions: Sessions,
    clock: Clock,
    page: Page = 0,
    size: Size = 20,
    sort: Sort | None = None,
) -> wire.Page:
    only = [service_execution_id]
    return get_workloads(caller, jobs, sessions, clock, page, size, sort, service_execution_id=only)


def _count(jobs: Jobs, account: str, session: str) -> int:
    return jobs.find(JobQuery(account=account, session=session, limit=1)).total
