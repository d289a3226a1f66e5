"""Who sends a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts, Clock
from qumulus.apis.ibm import tokens
from qumulus.core import accounts as core


def _caller(request: Request, accounts: Accounts, clock: Clock) -> core.Caller:
    return tokens.authenticate(request.headers.get("Authorization", ""), accounts, clock)


Caller = Annotated[core.Caller, Depends(_caller)]
