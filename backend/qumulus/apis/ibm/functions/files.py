"""Files of functions, which are the files of data pools: a caller's own for a function, and those that its provider keeps for all runs."""

from __future__ import annotations

from qumulus.apis.dependencies import Pools, Services
from qumulus.core.accounts import Caller as CoreCaller
from qumulus.core.errors import InvalidRequest, UnknownFile
from qumulus.core.pools import PoolFile
from qumulus.core.pools import Pools as CorePools
from qumulus.openapi.contract import Operations, Reply

from . import providers, runs, uploads
from .callers import Caller
from .schemas.file import Files, Message, Name, Upload
from .schemas.function import OwnProvider, Provider, Title

operation = Operations()


@operation("listFiles")
def list_files(
    function: Title, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Files:
    """The files of a function."""
    return _listed(_own(function, provider, caller, services), caller, pools)


@operation("uploadFile")
def upload_file(
    function: Title, body: Upload, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Message:
    """Keep a file."""
    return _kept(body, _own(function, provider, caller, services), caller, pools)


@operation("downloadFile")
def download_file(
    file: Name, function: Title, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Reply[bytes]:
    """A file as it is."""
    return _content(file, _own(function, provider, caller, services), caller, pools)


@operation("deleteFile")
def delete_file(
    file: Name, function: Title, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Message:
    """Remove a file."""
    return _removed(file, _own(function, provider, caller, services), caller, pools)


@operation("listProviderFiles")
def list_provider_files(
    provider: OwnProvider, function: Title, caller: Caller, pools: Pools, services: Services
) -> Files:
    """The files that a provider keeps for a function."""
    return _listed(_provided(function, provider, caller, services), caller, pools)


@operation("uploadProviderFile")
def upload_provider_file(
    provider: OwnProvider, function: Title, body: Upload, caller: Caller, pools: Pools, services: Services
) -> Message:
    """Keep a file for all runs."""
    return _kept(body, _provided(function, provider, caller, services), caller, pools)


@operation("downloadProviderFile")
def download_provider_file(
    provider: OwnProvider, file: Name, function: Title, caller: Caller, pools: Pools, services: Services
) -> Reply[bytes]:
    """A provider's file as it is."""
    return _content(file, _provided(function, provider, caller, services), caller, pools)


@operation("deleteProviderFile")
def delete_provider_file(
    provider: OwnProvider, file: Name, function: Title, caller: Caller, pools: Pools, services: Services
) -> Message:
    """Remove a provider's file."""
    return _removed(file, _provided(function, provider, caller, services), caller, pools)


def _own(title: str, provider: str | None, caller: CoreCaller, services: Services) -> str:
    """The name of the pool with a caller's files for a function that the caller may run."""
    uploads.about(title, provider, caller, services)
    return runs.pool_name(title, provider)


def _provided(title: str, provider: str, caller: CoreCaller, services: Services) -> str:
    """The name of the pool with what the caller, who is the provider, keeps for a function."""
    providers.require(provider, caller, services)
    uploads.about(title, provider, caller, services)
    return runs.pool_name(title, provider, runs.PROVIDERS_POOL)


def _listed(name: str, caller: CoreCaller, pools: CorePools) -> Files:
    pool = runs.files_of(name, caller, pools)
    return Files(results=[] if pool is None else [file.name for file in pools.files(pool.id, caller)])


def _kept(body: Upload, name: str, caller: CoreCaller, pools: CorePools) -> Message:
    file = getattr(body.file, "filename", "").rpartition("/")[2].rpartition("\\")[2]
    if not file:
        raise InvalidRequest("The file has no name: send it as a file of the form.")
    return Message(message=pools.add(runs.files_for(name, caller, pools).id, file, body.file, caller).name)


def _content(file: str, name: str, caller: CoreCaller, pools: CorePools) -> Reply[bytes]:
    found = _file(file, name, caller, pools)
    _, content = pools.read(found.pool, found.id, caller)
    return Reply(content, media_type="application/octet-stream", headers={"X-Content-Type-Options": "nosniff"})


def _removed(file: str, name: str, caller: CoreCaller, pools: CorePools) -> Message:
    found = _file(file, name, caller, pools)
    pools.discard(found.pool, found.id, caller)
    return Message(message="Requested file was deleted.")


def _file(name: str, pool_name: str, caller: CoreCaller, pools: CorePools) -> PoolFile:
    pool = runs.files_of(pool_name, caller, pools)
    for file in () if pool is None else pools.files(pool.id, caller):
        if file.name == name:
            return file
    raise UnknownFile(name)
