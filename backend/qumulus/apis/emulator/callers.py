"""The administrator, who sees the jobs of all accounts."""

from __future__ import annotations

import logging
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request

from qumulus.apis.dependencies import Accounts
from qumulus.core import accounts as core
from qumulus.core.errors import NotAuthenticated

SCHEME = "admin"

log = logging.getLogger("qumulus.audit")


def _administrator(request: Request, accounts: Accounts) -> core.Caller:
    """Who sends the administrator's token.

    Raises:
        NotAuthenticated: there is none, or it is another one.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("Send the administrator's token in the header Authorization, as 'Bearer TOKEN'.")
    caller = accounts.authenticate(SCHEME, token.strip())
    if request.method != "GET":
        who = request.client.host if request.client else "-"
        path = quote(request.url.path)  # nothing in it can begin a line of its own
        fields = {"method": request.method, "path": path, "client": who, "token": caller.token}
        log.info("%s %s by the administrator from %s", request.method, path, who, extra={"fields": fields})
    return caller


Administrator = Annotated[core.Caller, Depends(_administrator)]
