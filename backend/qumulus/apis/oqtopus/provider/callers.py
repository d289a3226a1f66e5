"""Who sends a request: the engine of a device; and for how long it is given a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Jobs
from qumulus.apis.oqtopus.presigning import Presigning, downloads, storage_address
from qumulus.core import accounts as core
from qumulus.core.errors import NotAuthenticated

from .schemas.job import UploadAddress

SCHEME = "provider"
HEADER = "x-api-key"


def _caller(request: Request, accounts: Accounts) -> core.Caller:
    """The holder of the key.

    Raises:
        NotAuthenticated: there is none, or it is unknown.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        raise NotAuthenticated(f"Send your key in the header {HEADER}.")
    return accounts.authenticate(SCHEME, key)


def _lease(request: Request) -> timedelta | None:
    return request.app.state.lease


def _downloads(request: Request, jobs: Jobs) -> Callable[[str], str]:
    return downloads(request, jobs)


def _uploads(request: Request) -> Callable[[str], UploadAddress]:
    presigning: Presigning = request.app.state.presigning
    base = storage_address(request)
    return lambda key: UploadAddress.model_validate({"url": base, "fields": presigning.upload(key)})


Caller = Annotated[core.Caller, Depends(_caller)]
Lease = Annotated[timedelta | None, Depends(_lease)]
Downloads = Annotated[Callable[[str], str], Depends(_downloads)]
Uploads = Annotated[Callable[[str], UploadAddress], Depends(_uploads)]
