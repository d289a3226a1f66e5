"""Who sends a request, and with what."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Clock
from qumulus.apis.ibm import tokens
from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.core import accounts as core


def _caller(request: Request, accounts: Accounts, clock: Clock) -> core.Caller:
    return tokens.authenticate(request.headers.get("Authorization", ""), accounts, clock)


def _bearer(request: Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[2].strip()


def _installs(request: Request) -> bool:
    return request.app.state.accounts_install


def _instance(request: Request) -> str:
    return request.headers.get("Service-CRN", LOCAL_CRN)


def _channel(request: Request) -> str:
    return request.headers.get("Service-Channel", "ibm_quantum_platform")


Caller = Annotated[core.Caller, Depends(_caller)]
Bearer = Annotated[str, Depends(_bearer)]
"""The credential as it was sent: the function works with it."""

Installs = Annotated[bool, Depends(_installs)]
"""Whether functions of accounts may ask for packages of their own."""

Instance = Annotated[str, Depends(_instance)]
Channel = Annotated[str, Depends(_channel)]
