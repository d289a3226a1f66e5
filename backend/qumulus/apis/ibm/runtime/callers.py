"""Who sends a request, and for which of their service instances."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Clock
from qumulus.apis.ibm import tokens
from qumulus.apis.jobs import hold
from qumulus.core import accounts as core
from qumulus.core.errors import InvalidRequest, NotAllowed

from .changes import asked_for

INSTANCE = "Service-CRN"


def _caller(request: Request, accounts: Accounts, clock: Clock) -> core.Caller:
    """The caller, with the instance that the request is charged to; the version is looked at as well.

    Raises:
        NotAuthenticated: no credential, or an unknown one.
        InvalidRequest: no instance or no version is named.
        NotAllowed: the instance is not one of the caller's.
    """
    caller = tokens.authenticate(request.headers.get("Authorization", ""), accounts, clock)
    asked_for(request)
    named = request.headers.get(INSTANCE, "")
    if not named:
        raise InvalidRequest(f"Send the cloud resource name of your instance in the header {INSTANCE}.")
    instance = accounts.instance(named)
    if instance is None or instance.account != caller.account:
        raise NotAllowed("The service instance is not one of yours: choose an instance of your account.")
    return replace(caller, instance=instance.crn)


Caller = Annotated[core.Caller, Depends(_caller)]


def _instance(caller: Caller, accounts: Accounts) -> core.Instance:
    instance = accounts.instance(caller.instance or "")
    if instance is None:
        raise NotAllowed("The service instance is gone: choose another instance of your account.")
    return instance


Instance = Annotated[core.Instance, Depends(_instance)]


Held = Annotated[bool, Depends(hold("id", _caller))]
