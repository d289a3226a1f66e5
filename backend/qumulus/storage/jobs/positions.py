"""The position of a job in the queue of a device, and how long the jobs before it may take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, tuple_

from qumulus.core.clock import ClockMode
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import DeviceRules
from qumulus.core.queues import device_seconds
from qumulus.core.results import Severity
from qumulus.storage.database.tables import IS_HELD, IS_QUEUED, jobs, log_lines

from . import rows, sessions
from .statements import HEAD_OF_LANE

LAST_RUNS = 20  # runs of a device by which the next ones are judged
FIRST_GUESS = 1.0  # seconds of a run while none is known
STANDS = (
    "It waits: the clock of the cloud stands at {now:%Y-%m-%d %H:%M:%S} UTC, and the job's turn at its device comes at "
    "{until:%Y-%m-%d %H:%M:%S}. Advance the clock, for example with `qumulus emulator clock advance --job ID`."
)
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


def due(connection: Connection, job: Job, rules: DeviceRules, now: datetime) -> datetime | None:
    """Return when the next thing happens that a job waits for: its own time, or that of what has the device to itself."""
    if job.state is not JobState.QUEUED or job.queued_at is None:
        return ends_at(connection, job)
    settings = rules.settings(job.device)
    on_device = sessions.on_device(connection, job.device) if settings.one_at_a_time else []
    holder = next((session for session in on_device if session.holds_device(now)), None)
    its_turn = holder is not None and holder.id == job.session
    if (ripe := ripe_at(job, rules, its_turn=its_turn)) > now:
        return ripe
    runs = select(func.min(jobs.c.due_at)).where(IS_HELD, jobs.c.device == job.device)
    if settings.one_at_a_time and (ends := connection.execute(runs).scalar()) is not None:
        return ends
    return None if holder is None or its_turn else holder.lets_go_at()


def ends_at(connection: Connection, job: Job) -> datetime | None:
    """Return when a job ends that runs by the clock of the cloud alone."""
    return connection.execute(select(jobs.c.due_at).where(jobs.c.id == job.id)).scalar()


def run_time(connection: Connection, job: Job, rules: DeviceRules) -> timedelta:
    """Return how long a job that waits will run, judging by its shots or by the last runs on its device."""
    queue, least = rules.queue(job.device), rules.settings(job.device).least_run_seconds
    if queue is not None and queue.setting.run_scale:
        seconds = queue.setting.run_scale * device_seconds(job.shots)
    else:
        seconds = mean_run(connection, rows.lane(job.device, job.account))
    return timedelta(seconds=max(seconds, least))


def note(connection: Connection, job: Job, rules: DeviceRules, mode: ClockMode, now: datetime) -> None:
    """Write into the log of a new job that it waits for a clock which stands, if so."""
    if mode is ClockMode.MANUAL and job.state is JobState.QUEUED and (ripe := ripe_at(job, rules)) > now:
        line = {"severity": Severity.WARNING.value, "text": STANDS.format(now=now, until=ripe), "time": now}
        connection.execute(insert(log_lines).values(job=job.id, attempt=0, **line))


def ripe_at(job: Job, rules: DeviceRules, *, its_turn: bool = False) -> datetime:
    """Return when a job that waits may run at the earliest; ``its_turn`` says that its session has the device to itself."""
    queued_at = job.queued_at or job.created_at
    ripe = queued_at + timedelta(seconds=rules.settings(job.device).least_queue_seconds)
    others = None if its_turn else rules.queue(job.device)
    return ripe if others is None else max(ripe, others.ready_at(queued_at))


def _count(connection: Connection, condition: Any) -> int:
    return connection.execute(select(func.count()).select_from(jobs).where(IS_QUEUED, condition)).scalar_one()
