"""Executions of all services, as dashboards look at them."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Jobs, Origin
from qumulus.apis.jobs import own
from qumulus.apis.planqk import executions as family
from qumulus.apis.planqk import results
from qumulus.apis.planqk.callers import PersonalCaller
from qumulus.apis.planqk.media_types import media_type_of
from qumulus.apis.planqk.offered import Services
from qumulus.core.accounts import Caller
from qumulus.core.errors import IllegalTransition, UnknownFile
from qumulus.core.jobs import Job
from qumulus.core.ports import JobQuery, JobStore
from qumulus.openapi.contract import Operations, Rendered, Reply

from .schemas import execution as wire
from .translate import service_executions as translate
from .translate import usage

MOST = 10_000  # executions that are looked at, the newest
NONE = 204
LATER = {"Retry-After": "1"}
TEXT = "text/plain; charset=utf-8"
SAVED = 'attachment; filename="{}.log"'

operation = Operations()


def _execution(request: Request, caller: PersonalCaller, jobs: Jobs) -> Job:
    return own(request.path_params["id"], caller, jobs, lambda job: job.api == family.API)


Execution = Annotated[Job, Depends(_execution)]


def _known(services: Services) -> translate.Known:
    return {service.name: service for service in services.services()}


Known = Annotated[translate.Known, Depends(_known)]


def matching(
    wanted: translate.Wanted,
    created_after: str | None,
    created_before: str | None,
    caller: Caller,
    jobs: JobStore,
    known: translate.Known,
) -> list[Job]:
    """Return the executions of a caller that are wanted, newest first.

    Raises:
        InvalidRequest: a time is none.
    """
    query = JobQuery(
        account=caller.account,
        api=family.API,
        created_after=translate.moment("createdAfter", created_after),
        created_before=translate.moment("createdBefore", created_before),
        limit=MOST,
    )
    return [job for job in jobs.find(query).jobs if wanted.has(job, known)]


@operation("getServiceExecutions")
def get_service_executions(
    caller: PersonalCaller,
    jobs: Jobs,
    known: Known,
    page: wire.PageNumber = 0,
    size: wire.Size = 20,
    sort: wire.Sort | None = None,
    created_after: wire.Time | None = None,
    created_before: wire.Time | None = None,
    application_id: wire.Reference | None = None,
    service_id: wire.Reference | None = None,
    tags: wire.Names | None = None,
    ids: wire.Names | None = None,
) -> wire.Page:
    wanted = translate.Wanted(application=application_id, service=service_id, tags=tags, ids=ids)
    found = matching(wanted, created_after, created_before, caller, jobs, known)
    return wire.Page(**translate.page(lambda job: translate.execution(job, known), found, known, page, size, sort))


@operation("getServiceExecution")
def get_service_execution(id: wire.Id, execution: Execution, known: Known) -> wire.Execution:
    del id
    return translate.execution(execution, known)


@operation("headServiceExecution")
def head_service_execution(id: wire.Id, execution: Execution) -> None:
    del id, execution


@operation("cancelServiceExecution")
def cancel_service_execution(id: wire.Id, caller: PersonalCaller, execution: Execution, jobs: Jobs) -> None:
    del id
    with contextlib.suppress(IllegalTransition):  # it has ended: it stays as it is
        jobs.cancel(execution.id, caller)


@operation("getServiceExecutionResult")
def get_service_execution_result(
    id: wire.Id, execution: Execution, jobs: Jobs, known: Known, origin: Origin
) -> Rendered[wire.Result] | Reply[None]:
    del id
    if not execution.final:
        return Reply(None, NONE, headers=LATER)
    make = partial(translate.result, execution, known, origin, jobs.files(execution.id))
    return Rendered.from_bytes(results.rendered(jobs, execution, make))


@operation("getServiceExecutionResultFile")
def get_service_execution_result_file(id: wire.Id, file: wire.File, execution: Execution, jobs: Jobs) -> Reply[bytes]:
    del id
    if file not in jobs.files(execution.id):
        raise UnknownFile(file)
    content = jobs.file(execution.id, file)
    return Reply(content, media_type=media_type_of(file, content), headers={"X-Content-Type-Options": "nosniff"})


@operation("getServiceExecutionLogs")
def get_service_execution_logs(
    id: wire.Id, execution: Execution, jobs: Jobs, limit: wire.Limit | None = None, raw: wire.Raw = False
) -> wire.Logs | Reply[Rendered[wire.Logs]] | Reply[None]:
    lines = jobs.log(execution.id)[-(limit or 0) :]
    if not lines:
        return Reply(None, NONE, headers=LATER)
    if raw:
        text = Rendered(translate.plain(lines), None)
        return Reply(text, media_type=TEXT, headers={"Content-Disposition": SAVED.format(id)})
    return translate.logs(lines)


@operation("getServiceExecutionMetrics")
def get_service_execution_metrics(id: wire.Id, execution: Execution) -> wire.Metrics:
    del id
    return usage.metrics(execution)


@operation("getServiceExecutionCosts")
def get_service_execution_costs(id: wire.Id, execution: Execution, known: Known) -> list[wire.Cost] | Reply[None]:
    del id
    if execution.run_seconds is None:
        return Reply(None, NONE, headers=LATER)
    return [usage.cost(execution, known)]


@operation("getServiceExecutionLineage")
def get_service_execution_lineage(
    id: wire.Id, execution: Execution, caller: PersonalCaller, jobs: Jobs, known: Known
) -> wire.Lineage:
    del id
    return descent(execution, caller, jobs, known)


def descent(execution: Job, caller: Caller, jobs: JobStore, known: translate.Known) -> wire.Lineage:
    """Return an execution with those that its program, and theirs, have started."""
    query = JobQuery(account=caller.account, api=family.API, created_after=execution.created_at, limit=MOST)
    found = jobs.find(query)
    return usage.lineage(execution, found.jobs, known, truncated=found.total > len(found.jobs))
