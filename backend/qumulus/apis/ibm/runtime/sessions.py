"""Operations on sessions."""

from __future__ import annotations

from qumulus.apis.dependencies import Clock, Devices, Jobs, Sessions
from qumulus.openapi.contract import Operations

from .callers import Caller, Instance
from .limits import Limits
from .schemas.session import CreateSessionRequest, SessionId, SessionResponse, UpdateSessionRequest
from .translate import sessions as translate

operation = Operations()


@operation("createSession")
def create_session(
    body: CreateSessionRequest,
    caller: Caller,
    instance: Instance,
    devices: Devices,
    jobs: Jobs,
    sessions: Sessions,
    clock: Clock,
    limits: Limits,
) -> SessionResponse:
    """Open a session."""
    new = limits.session(translate.new(body, caller, devices, jobs), instance)
    return translate.session(sessions.open(new), clock.now())


@operation("getSession")
def get_session(id: SessionId, caller: Caller, sessions: Sessions, clock: Clock) -> SessionResponse:
    """What a session is doing."""
    return translate.session(sessions.get(id, caller), clock.now())


@operation("updateSession")
def update_session(id: SessionId, body: UpdateSessionRequest, caller: Caller, sessions: Sessions) -> None:
    """Let a session take no more jobs."""
    sessions.set_accepting(id, caller, accepting=body.accepting_jobs)


@operation("closeSession")
def close_session(id: SessionId, caller: Caller, sessions: Sessions) -> None:
    """Take no more jobs, and cancel those that wait or run."""
    sessions.cancel(id, caller)
