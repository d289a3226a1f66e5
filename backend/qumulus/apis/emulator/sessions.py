"""The sessions and batches of all accounts."""

from __future__ import annotations

from qumulus.apis.dependencies import Clock, Sessions
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.jobs import Limit, Offset
from .schemas.sessions import Sessions as SessionList
from .translate import sessions as translate

operation = Operations()


@operation("listSessions")
def list_sessions(
    administrator: Administrator, sessions: Sessions, clock: Clock, limit: Limit = 50, offset: Offset = 0
) -> SessionList:
    """A page of sessions, newest first."""
    page, now = sessions.page(limit=limit, offset=offset), clock.now()
    return SessionList(sessions=[translate.session(each, now) for each in page.sessions], total=page.total)
