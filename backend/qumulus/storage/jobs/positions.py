"""The position of a job in the queue of a device, and how long the jobs before it may take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import Job, JobState
from qumulus.storage.database.tables import IS_HELD, IS_QUEUED, jobs

from . import rows, sessions
from .statements import HEAD_OF_LANE

LAST_RUNS = 20  # runs of a device by which the next ones are judged
FIRST_GUESS = 1.0  # seconds of a run while none is known
NEAR = 5000  # jobs, of all devices, among which the last runs are looked for


def position(connection: Connection, job_id: str) -> int | None:
    """Return how many jobs of the device run before a job when accounts take turns; None when the job does not wait.

    Before the n-th job of an account run its n - 1 earlier ones, and of every other account the first n at most.
    """
    columns = (jobs.c.lane, jobs.c.device, jobs.c.ticket, jobs.c.number)
    job = connection.execute(select(*columns).where(jobs.c.id == job_id, IS_QUEUED)).first()
    if job is None:
        return None
    place = tuple_(jobs.c.ticket, jobs.c.number)
    before = _count(connection, (jobs.c.lane == job.lane) & (place < tuple_(job.ticket, job.number)))
    lanes = select(jobs.c.lane).where(IS_QUEUED, rows.lanes_of(job.device)).distinct()
    others = [name for name in connection.execute(lanes).scalars() if name != job.lane]
    return before + sum(min(before + 1, _count(connection, jobs.c.lane == name)) for name in others)


def waves(connection: Connection, device: str, position: int, at_once: int) -> float:
    """Return how many runs, one after the other, come before a job with this position, where so many run at once."""
    busy = connection.execute(select(func.count()).select_from(jobs).where(IS_HELD, jobs.c.device == device))
    return max(0, position + busy.scalar_one() - at_once + 1) / at_once


def mean_run(connection: Connection, lane: str) -> float:
    """Return the seconds that the last runs on a lane's device took on average: those that were sent shortly before what waits now."""
    device, _ = rows.device_and_account(lane)
    head = connection.execute(HEAD_OF_LANE, {"its_lane": lane}).first()
    newest = head.number if head else 1 << 62
    last = (
        select(jobs.c.run_seconds)
        .where(jobs.c.number.between(newest - NEAR, newest), jobs.c.device == device, jobs.c.run_seconds.is_not(None))
        .order_by(jobs.c.number.desc())
        .limit(LAST_RUNS)
        .subquery()
    )
    return connection.execute(select(func.avg(last.c.run_seconds))).scalar() or FIRST_GUESS


def due(connection: Connection, job: Job, settings: DeviceSettings, now: datetime) -> datetime | None:
    """Return when the next thing happens that a job waits for: its own time, or that of what has the device to itself."""
    if job.state is not JobState.QUEUED or job.queued_at is None:
        return connection.execute(select(jobs.c.due_at).where(jobs.c.id == job.id)).scalar()
    ripe_at = job.queued_at + timedelta(seconds=settings.least_queue_seconds)
    if ripe_at > now:
        return ripe_at
    if not settings.one_at_a_time:
        return None
    runs = select(func.min(jobs.c.due_at)).where(IS_HELD, jobs.c.device == job.device)
    if (ends_at := connection.execute(runs).scalar()) is not None:
        return ends_at
    on_device = sessions.on_device(connection, job.device)
    holding = [session.lets_go_at() for session in on_device if session.holds_device(now) and session.id != job.session]
    return next(iter(holding), None)


def _count(connection: Connection, condition: Any) -> int:
    return connection.execute(select(func.count()).select_from(jobs).where(IS_QUEUED, condition)).scalar_one()
