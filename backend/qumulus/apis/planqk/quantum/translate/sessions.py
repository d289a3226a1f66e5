"""The core's sessions and those of the quantum API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import MISSING

from qumulus.apis.given import given, said
from qumulus.apis.planqk.quantum.known import backend
from qumulus.apis.planqk.quantum.schemas import session as wire
from qumulus.core import sessions as core
from qumulus.core.accounts import Caller

from .jobs import time

MAX_SECONDS = 28_800.0
WITHIN = "@"  # between the backend and the service execution, where a session is one's
STATUSES: Mapping[core.SessionState, wire.Status] = {
    core.SessionState.OPEN: wire.Status.OPEN,
    core.SessionState.ACTIVE: wire.Status.ACTIVE,
    core.SessionState.INACTIVE: wire.Status.INACTIVE,
    core.SessionState.CLOSED: wire.Status.CLOSED,
}


def belongs(session: core.Session) -> tuple[str, str | None]:
    """The backend of a session, and the service execution whose program has opened it."""
    known, _, execution = (session.instance or "").partition(WITHIN)
    return known, execution or None


def new(body: wire.SessionRequest, caller: Caller, execution: str | None = None) -> core.NewSession:
    """A session as the core takes it; the id of the backend, of which several may be one device, stands for its instance.

    Raises:
        UnknownDevice
    """
    known = backend(body.backend_id)
    longest = MAX_SECONDS if body.ttl is MISSING or body.ttl is None else float(body.ttl)
    return core.NewSession(
        account=caller.account,
        instance=known.id if execution is None else f"{known.id}{WITHIN}{execution}",
        device=known.device,
        mode=core.SessionMode(body.mode),
        max_seconds=longest,
        request={"sdk": given(body.sdk_provider)},
    )


def status(session: core.Session, now: datetime) -> wire.Status:
    """What it is doing."""
    state = session.state(now)
    draining = state is not core.SessionState.CLOSED and not session.accepts_jobs(now)
    return wire.Status.DRAINING if draining else STATUSES[state]


def session(session: core.Session, now: datetime, tags: Sequence[str] = ()) -> wire.Session:
    """A session as people see it; ``tags`` are those of its jobs."""
    known = backend(belongs(session)[0])
    closed_at, expires_at = session.closed_at(now), session.expires_at()
    return wire.Session(
        id=session.id,
        backend_id=known.id,
        provider=known.provider,
        provider_id=session.id,
        status=status(session, now),
        mode=wire.Mode(session.mode),
        created_at=time(session.created_at),
        started_at=_time(session.activated_at),
        closed_at=_time(closed_at),
        expires_at=_time(expires_at),
        usage_time_millis=round(session.run_seconds * 1000),
        usage_time_state="PENDING" if closed_at is None else "MEASURED",
        metadata=wire.Metadata.model_validate(_metadata(session, expires_at, now)),
        final=closed_at is not None,
        tags=list(tags),
        sdk_provider=said(session.request.get("sdk")),
    )


def _time(at: datetime | None) -> Any:
    return MISSING if at is None else time(at)


def _metadata(session: core.Session, expires_at: datetime | None, now: datetime) -> Mapping[str, Any]:
    """What IBM's own client shows of a session."""
    left = session.max_seconds if expires_at is None else max(0.0, (expires_at - now).total_seconds())
    times = {"last_job_started": session.last_job_started, "last_job_completed": session.last_job_ended}
    return {
        "max_ttl": int(session.max_seconds),
        "active_ttl": int(left),
        "interactive_ttl": int(session.interactive_seconds),
        **{name: at.isoformat().replace("+00:00", "Z") for name, at in times.items() if at is not None},
    }
