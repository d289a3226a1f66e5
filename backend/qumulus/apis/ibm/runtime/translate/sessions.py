"""Sessions, from the service's words to the core's and back."""

from __future__ import annotations

from datetime import datetime

from pydantic import MISSING

from qumulus.apis.ibm import names
from qumulus.apis.ibm.runtime.schemas.job import RunJobRequest
from qumulus.apis.ibm.runtime.schemas.session import (
    CreateSessionRequest,
    Mode,
    SessionResponse,
    SessionState,
    Timestamp,
)
from qumulus.core import sessions as core
from qumulus.core.accounts import Caller
from qumulus.core.devices import Device
from qumulus.core.jobs import NewJob
from qumulus.core.ports import Catalogue, JobStore

MAX_SECONDS = 28_800.0
INTERACTIVE_SECONDS = 60.0


def new(body: CreateSessionRequest, caller: Caller, devices: Catalogue, jobs: JobStore) -> core.NewSession:
    """A session as the core takes it.

    Raises:
        UnknownDevice
    """
    name = body.backend if body.backend is not MISSING else body.backend_name
    device = _least_busy(devices, jobs) if name is MISSING else names.device(devices, name)
    longest = body.max_ttl if body.max_ttl is not MISSING else body.active_ttl
    return core.NewSession(
        account=caller.account,
        instance=caller.instance,
        device=device.name,
        mode=core.SessionMode(body.mode),
        max_seconds=MAX_SECONDS if longest is MISSING else longest,
        interactive_seconds=INTERACTIVE_SECONDS if body.interactive_ttl is MISSING else body.interactive_ttl,
    )


def _least_busy(devices: Catalogue, jobs: JobStore) -> Device:
    pending = jobs.pending()
    return min(names.devices(devices), key=lambda device: pending.get(device.name, 0))


def of_job(job: NewJob, body: RunJobRequest) -> core.NewSession:
    """The session that is to be opened for a job."""
    seconds = body.session_time if isinstance(body.session_time, int) else MAX_SECONDS
    return core.NewSession(account=job.account, instance=job.instance, device=job.device, max_seconds=seconds)


def session(session: core.Session, now: datetime) -> SessionResponse:
    """A session as people see it."""
    closed_at, expires_at = session.closed_at(now), session.expires_at()
    left = session.max_seconds if expires_at is None else max(0.0, (expires_at - now).total_seconds())
    changes = {
        SessionState.OPEN: session.created_at,
        SessionState.ACTIVE: session.activated_at,
        SessionState.CLOSED: closed_at,
    }
    return SessionResponse(
        id=session.id,
        backend_name=names.to_wire(session.device),
        mode=Mode(session.mode),
        state=SessionState(session.state(now)),
        accepting_jobs=session.accepts_jobs(now),
        started_at=session.activated_at or MISSING,
        activated_at=session.activated_at or MISSING,
        closed_at=closed_at or MISSING,
        last_job_started=session.last_job_started or MISSING,
        last_job_completed=session.last_job_ended or MISSING,
        interactive_ttl=int(session.interactive_seconds),
        max_ttl=int(session.max_seconds),
        active_ttl=0 if closed_at else int(left),
        elapsed_time=MISSING if session.activated_at is None else session.run_seconds,
        timestamps=[Timestamp(status=state, timestamp=at) for state, at in changes.items() if at],
        user_id=session.account,
    )
