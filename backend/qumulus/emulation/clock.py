"""Setting and advancing the clock of the cloud."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from qumulus.core.clock import REAL, ClockSetting
from qumulus.core.errors import WrongState
from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import ClockControl, JobStore
from qumulus.core.ports.jobs import Movement

LOOK_SECONDS = 0.01  # of the machine, between two looks at a job that is on its way
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
QUIET_SECONDS = 2.0  # of the machine, after which nobody takes what may be taken
PATIENCE_SECONDS = 25.0  # of the machine, that a job may take for a step for which no time has to pass


class JobMoment(StrEnum):
    """What a job has to have done until the clock stops."""

    STARTED = "started"
    ENDED = "ended"


def set_clock(clock: ClockControl, *, rate: float, now: datetime | None = None, bearers: bool = False) -> None:
    """Let the clock go ``rate`` times as fast as that of the machine, from ``now`` on, or from where it is.

    Args:
        clock: the clock.
        rate: 0 lets it stand.
        now: what time it is to be in the cloud.
        bearers: that of `ClockSetting`.

    Raises:
        WrongState: the time is outside of `FIRST` and `LAST`.
    """
    clock.change(lambda before, wall: _bounded(replace(before.going(rate, wall, cloud_at=now), bearers=bearers)))


def reset_clock(clock: ClockControl) -> None:
    """Let the cloud have the time of the machine."""
    clock.change(lambda _before, _wall: REAL)


def advance(clock: ClockControl, jobs: JobStore, seconds: float) -> None:
    """Move the clock forward. One that goes by itself goes on from there.

    One that stands goes from one thing that happens to the next, and waits each time until jobs at devices have done what needs no time:
    so what happens depends on nobody's speed.

    Raises:
        WrongState: the time would be after `LAST`.
    """
    if clock.setting.rate:
        _move(clock, seconds)
        return
    now, until = clock.now(), time.monotonic() + PATIENCE_SECONDS
    target = now + timedelta(seconds=seconds)
    while True:
        following = _settled(jobs, until).next_at
        if following is None or following >= target or time.monotonic() > until:
            break
        _move(clock, (following - clock.now()).total_seconds())
    _move(clock, max(0.0, (target - clock.now()).total_seconds()))


def _move(clock: ClockControl, seconds: float) -> None:
    by = timedelta(seconds=seconds)
    clock.change(lambda before, wall: _bounded(before.going(before.rate, wall, cloud_at=before.at(wall) + by)))


def _settled(jobs: JobStore, until: float) -> Movement:
    """Wait until nothing more happens unless time passes in the cloud, or nothing has happened for some time."""
    known, quiet = jobs.movement(), time.monotonic() + QUIET_SECONDS
    while (known.running or known.ready) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        before, known = known, jobs.movement()
        if known != before or known.running:
            quiet = time.monotonic() + QUIET_SECONDS
        elif time.monotonic() > quiet:  # what may be taken is not taken: something else keeps it
            break
    return known


def _bounded(setting: ClockSetting) -> ClockSetting:
    if not FIRST <= setting.cloud_at <= LAST:
        raise WrongState(f"The clock of the cloud goes from {FIRST:%Y} to {LAST:%Y}: choose a time in between.")
    return setting


def advance_until(clock: ClockControl, jobs: JobStore, job_id: str, moment: JobMoment) -> None:
    """Move the clock from one thing to the next that a job waits for, until the job has started or ended.

    Raises:
        UnknownJob
        WrongState: something else than time is missing, or the job takes too long to wait for.
    """
    reached = _reached(moment)
    while not reached(job := jobs.look(job_id)):
        due = jobs.due(job_id)
        if due is not None and (left := (due - clock.now()).total_seconds()) > 0:
            advance(clock, jobs, left)
        job = _after_a_step(jobs, job, clock)
        if job is None:
            raise WrongState(_missing(jobs.look(job_id), moment))


def _reached(moment: JobMoment) -> Callable[[Job], bool]:
    waiting = {JobState.REGISTERED, JobState.QUEUED, JobState.CLAIMED}
    return lambda job: job.final or (moment is JobMoment.STARTED and job.state not in waiting)


def _after_a_step(jobs: JobStore, before: Job, clock: ClockControl) -> Job | None:
    """Return the job when it is in another state, or waits for time again; None when nothing happens."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        job, due = jobs.look(before.id), jobs.due(before.id)
        if job.state is not before.state or (due is not None and due > clock.now()):
            return job
        time.sleep(LOOK_SECONDS)
    return None


def _missing(job: Job, moment: JobMoment) -> str:
    return (
        f"Job {job.id} is {job.state} and has not {moment} within {PATIENCE_SECONDS:g} s, and no time of the cloud is missing: "
        f"see whether the device {job.device} takes jobs, and the job's log."
    )
