"""Operations on functions."""

from __future__ import annotations

from qumulus.apis.dependencies import Jobs, Origin, Pools, Services
from qumulus.apis.given import given
from qumulus.openapi.contract import Operations

from . import runs, uploads, vendors
from .callers import Bearer, Caller, Channel, Instance
from .schemas.function import FilterValue, Function, Provider, Run, Title, Upload
from .schemas.job import Job
from .schemas.page import Limit, Offset
from .translate import functions as translate
from .translate import jobs as translate_jobs

MOST_LISTED = 100_000

operation = Operations()


@operation("listFunctions")
def list_functions(
    caller: Caller,
    services: Services,
    filter: FilterValue | None = None,
    limit: Limit = 10,
    offset: Offset = 0,
) -> list[Function]:
    """The caller's functions, and those of vendors. As at the service, the page is not cut: clients ask for all."""
    own = [translate.function(each) for each in uploads.of_caller(caller, services)]
    others = [translate.of_vendor(provider, title) for provider, titles in vendors.TITLES.items() for title in titles]
    return {FilterValue.SERVERLESS: own, FilterValue.CATALOG: others}.get(filter, own + others)


@operation("uploadFunction")
def upload_function(body: Upload, caller: Caller, services: Services) -> Function:
    """Take over a function."""
    return translate.function(uploads.deploy(body, caller, services))


@operation("getFunctionByTitle")
def get_function_by_title(
    title: Title, caller: Caller, services: Services, provider: Provider | None = None
) -> Function:
    """One function."""
    if provider is None:
        return translate.function(uploads.about(title, caller, services))
    if not vendors.known(provider, title):
        raise uploads.UnknownFunction(f"{provider}/{title}")
    return translate.of_vendor(provider, title)


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
    named, _, title = body.title.rpartition("/")
    provider = given(body.provider) or named
    if provider:
        raise vendors.missing(provider, title)
    job = runs.begin(
        uploads.about(title, caller, services),
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
