"""Operations on functions."""

from __future__ import annotations

from importlib import metadata

from qumulus.apis.dependencies import Jobs, Origin, Pools, Services
from qumulus.apis.given import given
from qumulus.core.ports import JobQuery
from qumulus.openapi.contract import Operations

from . import arguments, providers, runs, uploads, vendors
from .callers import Bearer, Caller, Channel, Installs, Instance
from .schemas.function import Arguments, FilterValue, Function, Id, Provider, Run, Title, Upload, Valid
from .schemas.job import Job, Summary
from .schemas.page import Limit, Offset
from .translate import functions as translate
from .translate import jobs as translate_jobs

MOST_LISTED = 1000
FOUND = ("qiskit", "qiskit-aer", "qiskit-ibm-runtime", "samplomatic")  # what functions find without naming it

operation = Operations()


@operation("listFunctions")
def list_functions(
    caller: Caller,
    services: Services,
    filter: FilterValue | None = None,
    limit: Limit = 10,
    offset: Offset = 0,
) -> list[Function]:
    """The caller's functions, and those of providers. As at the service, the page is not cut: clients ask for all."""
    own = [translate.function(each) for each in uploads.of_caller(caller, services)]
    offered = [translate.function(each) for each in providers.offered(services)]
    others = [translate.of_vendor(provider, title) for provider, titles in vendors.TITLES.items() for title in titles]
    catalog = offered + others
    return {FilterValue.SERVERLESS: own, FilterValue.CATALOG: catalog}.get(filter, own + catalog)


@operation("uploadFunction")
def upload_function(body: Upload, caller: Caller, services: Services, installs: Installs) -> Function:
    """Take over a function."""
    return translate.function(uploads.deploy(body, caller, services, installs=installs))


@operation("getFunctionByTitle")
def get_function_by_title(
    title: Title, caller: Caller, services: Services, provider: Provider | None = None
) -> Function:
    """One function."""
    if provider is not None and vendors.known(provider, title):
        return translate.of_vendor(provider, title)
    return translate.function(uploads.about(title, provider, caller, services))


@operation("runFunction")
def run_function(
    body: Run,
    caller: Caller,
    credential: Bearer,
    instance: Instance,
    channel: Channel,
    origin: Origin,
    jobs: Jobs,
    pools: Pools,
    services: Services,
) -> Job:
    """Begin a job."""
    about = uploads.about(*uploads.split(body.title, given(body.provider)), caller, services)
    arguments.check(about["arguments_schema"], body.arguments)
    job = runs.begin(
        about,
        body.arguments,
        caller=caller,
        credential=credential,
        instance=instance,
        channel=channel,
        origin=origin,
        jobs=jobs,
        pools=pools,
        services=services,
    )
    return translate_jobs.job(job)


@operation("validateArguments")
def validate_arguments(body: Arguments, caller: Caller, services: Services) -> Valid:
    """Hold arguments against the schema of a function."""
    about = uploads.about(*uploads.split(body.title, given(body.provider)), caller, services)
    arguments.check(about["arguments_schema"], body.arguments)
    return Valid(valid=True)


@operation("getFunctionJobs")
def get_function_jobs(id: Id, caller: Caller, jobs: Jobs, services: Services) -> list[Summary]:
    """The caller's jobs of one function."""
    about = uploads.about_id(id, caller, services)
    found = jobs.find(
        JobQuery(account=caller.account, api=runs.API, device=runs.queue_of(about["id"]), limit=MOST_LISTED)
    )
    return [translate_jobs.summary(job) for job in found.jobs]


@operation("listDependenciesVersions")
def list_dependencies_versions(caller: Caller) -> list[str]:
    """The packages that a function finds."""
    return [f"{name}=={metadata.version(name)}" for name in FOUND]
