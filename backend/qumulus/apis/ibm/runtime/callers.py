"""Who sends a request, and for which of their service instances."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts
from qumulus.core import accounts as core
from qumulus.core.errors import InvalidRequest, NotAllowed, NotAuthenticated

from .changes import asked_for

SCHEME = "ibm"
INSTANCE = "Service-CRN"


def _caller(request: Request, accounts: Accounts) -> core.Caller:
    """The caller, with the instance that the request is charged to; the version is looked at as well.

    Raises:
        NotAuthenticated: no credential, or an unknown one.
        InvalidRequest: no instance or no version is named.
        NotAllowed: the instance is not one of the caller's.
    """
    kind, _, credential = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() not in {"bearer", "apikey"} or not credential.strip():
        raise NotAuthenticated("Send a token in the header Authorization, as 'Bearer TOKEN'.")
    caller = accounts.authenticate(SCHEME, credential.strip())
    asked_for(request)
    named = request.headers.get(INSTANCE, "")
    if not named:
        raise InvalidRequest(f"Send the cloud resource name of your instance in the header {INSTANCE}.")
    instance = accounts.instance(named)
    if instance is None or instance.account != caller.account:
        raise NotAllowed("The service instance is not one of yours: choose an instance of your account.")
    return replace(caller, instance=instance.crn)


Caller = Annotated[core.Caller, Depends(_caller)]
