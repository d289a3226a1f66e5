"""Operations on the jobs of functions."""

from __future__ import annotations

import contextlib
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Clock, Jobs, Services, Sessions
from qumulus.apis.given import given
from qumulus.apis.jobs import anybodys, own
from qumulus.apis.json_texts import reading
from qumulus.core import accounts as core
from qumulus.core.errors import IllegalTransition, UnknownJob
from qumulus.core.jobs import Job as CoreJob
from qumulus.core.jobs import JobState
from qumulus.core.ports import JobQuery, JobStore
from qumulus.core.services import device_of
from qumulus.openapi.contract import Operations
from qumulus.openapi.wire import Time

from . import providers, runs, stops, uploads
from .callers import Caller
from .errors import JobEnded
from .schemas.function import FilterValue, OwnProvider, Provider, Title
from .schemas.job import (
    Event,
    EventType,
    Id,
    Job,
    Logs,
    Message,
    NewEvent,
    Page,
    Result,
    RuntimeJob,
    RuntimeJobs,
    SetSubStatus,
    StatusName,
    Stop,
    WithResult,
)
from .schemas.page import Limit, Offset
from .translate import events, logs
from .translate import jobs as translate

MOST_RUNTIME_JOBS = 10_000
MOST_EVENTS = 1000  # of a kind, of one job: the newest
OUTPUT = "output.json"  # where the program leaves what it returned

operation = Operations()


def _known(request: Request, caller: Caller, jobs: Jobs) -> CoreJob:
    return own(request.path_params["id"], caller, jobs, lambda job: job.api == runs.API)


KnownJob = Annotated[CoreJob, Depends(_known)]


@operation("listJobs")
def list_jobs(
    caller: Caller,
    jobs: Jobs,
    services: Services,
    function: Title | None = None,
    provider: Provider | None = None,
    status: StatusName | None = None,
    filter: FilterValue | None = None,
    created_after: Time | None = None,
    limit: Limit = 10,
    offset: Offset = 0,
) -> Page:
    """The caller's jobs."""
    return _page(
        jobs,
        JobQuery(
            account=caller.account,
            api=runs.API,
            device=None if function is None else _queue(function, provider, caller),
            without_devices=_queues_of_providers(services) if filter is FilterValue.SERVERLESS else frozenset(),
            tags=(runs.CATALOG,) if filter is FilterValue.CATALOG else (),
            states=translate.states(status),
            created_after=created_after,
            limit=limit,
            offset=offset,
        ),
    )


@operation("listProviderJobs")
def list_provider_jobs(
    provider: OwnProvider,
    caller: Caller,
    jobs: Jobs,
    services: Services,
    function: Title | None = None,
    status: StatusName | None = None,
    filter: FilterValue | None = None,
    created_after: Time | None = None,
    limit: Limit = 10,
    offset: Offset = 0,
) -> Page:
    """The jobs of everybody on the functions of a provider, for the provider; all of them are of the catalogue."""
    providers.require(provider, caller, services)
    if function is not None:
        uploads.about(function, provider, caller, services)
    if filter is FilterValue.SERVERLESS:
        return Page(count=0, next=None, previous=None, results=[])
    return _page(
        jobs,
        JobQuery(
            api=runs.API,
            device=None if function is None else _queue(function, provider, caller),
            tags=(f"{runs.PROVIDED}{provider}",),
            states=translate.states(status),
            created_after=created_after,
            limit=limit,
            offset=offset,
        ),
    )


@operation("getJob")
def get_job(id: Id, job: KnownJob, jobs: Jobs, with_result: WithResult = True) -> Job:
    """A job."""
    return translate.job(job, _result(job, jobs) if with_result else None)


@operation("getJobResult")
def get_job_result(id: Id, job: KnownJob, jobs: Jobs) -> Result:
    """The result of a job."""
    return Result(result=_result(job, jobs))


@operation("getJobLogs")
def get_job_logs(id: Id, job: KnownJob, jobs: Jobs, services: Services) -> Logs:
    """The log of a job, for whoever began it."""
    said = logs.for_user((line.text for line in jobs.log(job.id)), bool(job.request["function"].get("provider")))
    return Logs(logs=said + logs.while_it_waits(job, services))


@operation("getProviderJobLogs")
def get_provider_job_logs(id: Id, caller: Caller, jobs: Jobs, services: Services) -> Logs:
    """The log of a job, for the provider of its function."""
    job = anybodys(id, jobs, lambda job: job.api == runs.API)
    provider = job.request["function"].get("provider")
    if not provider or providers.account_of(provider, services) != caller.account:
        raise UnknownJob(id)
    said = logs.for_provider(line.text for line in jobs.log(job.id))
    return Logs(logs=said + logs.while_it_waits(job, services))


@operation("stopJob")
def stop_job(id: Id, body: Stop, caller: Caller, job: KnownJob, jobs: Jobs, sessions: Sessions) -> Message:
    """Cancel a job, and what it has sent to the Runtime API, where whoever stops it has a service there."""
    said = ["Job already in terminal state."]
    with contextlib.suppress(IllegalTransition):
        jobs.cancel(job.id, caller)
        said = ["Job has been stopped."]
    if stops.has_service(given(body.service)):
        said += stops.stop(job.request.get("runtime_jobs", ()), caller, jobs, sessions)
    return Message(message=" ".join(said))


@operation("setJobSubStatus")
def set_job_sub_status(id: Id, body: SetSubStatus, caller: Caller, clock: Clock, job: KnownJob, jobs: Jobs) -> Job:
    """Note what a function says that it is doing."""
    said = [*job.request.get("sub_statuses", ()), {"created": clock.now().isoformat(), "said": body.sub_status.value}]
    jobs.describe(job.id, {**job.request, "sub_status": body.sub_status.value, "sub_statuses": said[-MOST_EVENTS:]})
    return translate.job(jobs.get(job.id, caller))


@operation("getRuntimeJobs")
def get_runtime_jobs(id: Id, job: KnownJob) -> RuntimeJobs:
    """The Runtime jobs that a function said are its own."""
    return RuntimeJobs(runtime_jobs=[RuntimeJob(**each) for each in job.request.get("runtime_jobs", ())])


@operation("addRuntimeJob")
def add_runtime_job(id: Id, body: RuntimeJob, job: KnownJob, jobs: Jobs) -> Message:
    """Note a Runtime job."""
    more = {"runtime_job": body.runtime_job, "runtime_session": given(body.runtime_session)}
    noted = [*job.request.get("runtime_jobs", ()), more][-MOST_RUNTIME_JOBS:]
    jobs.describe(job.id, {**job.request, "runtime_jobs": noted})
    return Message(message="The Runtime job is noted.")


@operation("getJobEvents")
def get_job_events(id: Id, job: KnownJob, type: EventType | None = None) -> list[Event]:
    """What happened to a job, in order; errors alone where a type is asked for, which can be no other."""
    return [event for event in events.events(job) if type is None or event.event_type == events.ERROR]


@operation("addJobEvent")
def add_job_event(id: Id, body: NewEvent, clock: Clock, job: KnownJob, jobs: Jobs) -> Message:
    """Note an error that a function tells of."""
    if job.final:
        raise JobEnded
    data = {"code": str(body.code), "message": body.message, "exception": body.exception, "args": given(body.args)}
    noted = [*job.request.get("errors", ()), {"created": clock.now().isoformat(), "data": data}]
    jobs.describe(job.id, {**job.request, "errors": noted[-MOST_EVENTS:]})
    return Message(message="The event is noted.")


def _page(jobs: JobStore, query: JobQuery) -> Page:
    found = jobs.find(query)
    return Page(count=found.total, next=None, previous=None, results=[translate.summary(job) for job in found.jobs])


def _queue(title: str, provider: str | None, caller: core.Caller) -> str:
    return device_of(uploads.service_name(caller, title, provider))


def _queues_of_providers(services: Services) -> frozenset[str]:
    return frozenset(runs.queue_of(each["id"]) for each in providers.offered(services))


def _result(job: CoreJob, jobs: JobStore) -> str | None:
    """The result as JSON text. What a program that failed has left is no result."""
    succeeded = job.state is JobState.SUCCEEDED and OUTPUT in jobs.files(job.id)
    return translate.result(job, _saved(jobs.file(job.id, OUTPUT)) if succeeded else None)


def _saved(content: bytes) -> str | None:
    """What a function has saved, in the file of its program; None where the function has written that file itself."""
    with contextlib.suppress(ValueError), reading(content) as value:
        saved = value.get("result") if isinstance(value, dict) else None
        return saved if isinstance(saved, str) else None
    return None
