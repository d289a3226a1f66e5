"""Files of functions, which are the files of a data pool."""

from __future__ import annotations

from qumulus.apis.dependencies import Pools, Services
from qumulus.core.accounts import Caller as CoreCaller
from qumulus.core.errors import InvalidRequest, UnknownFile
from qumulus.core.pools import PoolFile
from qumulus.core.pools import Pools as CorePools
from qumulus.openapi.contract import Operations, Reply

from . import runs, uploads, vendors
from .callers import Caller
from .schemas.file import Files, Message, Name, Upload
from .schemas.function import Provider, Title

operation = Operations()


@operation("listFiles")
def list_files(
    function: Title, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Files:
    """The files of a function."""
    _own(function, provider, caller, services)
    pool = runs.files_of(function, caller, pools)
    return Files(results=[] if pool is None else [file.name for file in pools.files(pool.id, caller)])


@operation("uploadFile")
def upload_file(
    function: Title, body: Upload, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Message:
    """Keep a file."""
    _own(function, provider, caller, services)
    name = getattr(body.file, "filename", "").rpartition("/")[2].rpartition("\\")[2]
    if not name:
        raise InvalidRequest("The file has no name: send it as a file of the form.")
    return Message(message=pools.add(runs.files_for(function, caller, pools).id, name, body.file, caller).name)


@operation("downloadFile")
def download_file(
    file: Name, function: Title, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Reply[bytes]:
    """A file as it is."""
    _own(function, provider, caller, services)
    found = _file(file, function, caller, pools)
    _, content = pools.read(found.pool, found.id, caller)
    return Reply(content, media_type="application/octet-stream", headers={"X-Content-Type-Options": "nosniff"})


@operation("deleteFile")
def delete_file(
    file: Name, function: Title, caller: Caller, pools: Pools, services: Services, provider: Provider | None = None
) -> Message:
    """Remove a file."""
    _own(function, provider, caller, services)
    found = _file(file, function, caller, pools)
    pools.discard(found.pool, found.id, caller)
    return Message(message="Requested file was deleted.")


def _own(title: str, provider: str | None, caller: CoreCaller, services: Services) -> None:
    """Raise where the caller has no such function."""
    if provider is not None:
        raise vendors.missing(provider, title)
    uploads.about(title, caller, services)


def _file(name: str, title: str, caller: CoreCaller, pools: CorePools) -> PoolFile:
    pool = runs.files_of(title, caller, pools)
    for file in () if pool is None else pools.files(pool.id, caller):
        if file.name == name:
            return file
    raise UnknownFile(name)
