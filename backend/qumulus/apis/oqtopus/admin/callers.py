"""Who sends a request: the administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts
from qumulus.core import accounts as core
from qumulus.core.errors import NotAuthenticated

SCHEME = "admin"


def _caller(request: Request, accounts: Accounts) -> core.Caller:
    """The holder of the administrator's token.

    Raises:
        NotAuthenticated: there is none, or it is another one.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("Send the administrator's token in the header Authorization, as 'Bearer TOKEN'.")
    return accounts.authenticate(SCHEME, token.strip())


Caller = Annotated[core.Caller, Depends(_caller)]
