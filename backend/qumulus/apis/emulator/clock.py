"""The clock of the cloud."""

from __future__ import annotations

from qumulus.apis.dependencies import ClockControl, Jobs
from qumulus.apis.given import given
from qumulus.emulation import clock as emulation
from qumulus.openapi.contract import Operations

from .callers import Administrator
from .schemas.clock import Advance, AdvanceForJob, Clock, ClockSetting
from .schemas.jobs import JobId
from .translate import clock as translate

operation = Operations()


@operation("getClock")
def get_clock(administrator: Administrator, clock: ClockControl) -> Clock:
    """Read it."""
    return translate.clock(clock)


@operation("setClock")
def set_clock(body: ClockSetting, administrator: Administrator, clock: ClockControl) -> Clock:
    """Let it go differently."""
    emulation.set_clock(clock, rate=body.rate, now=given(body.now), bearers=body.bearer_tokens)
    return translate.clock(clock)


@operation("resetClock")
def reset_clock(administrator: Administrator, clock: ClockControl) -> Clock:
    """Give it back."""
    emulation.reset_clock(clock)
    return translate.clock(clock)


@operation("advanceClock")
def advance_clock(body: Advance, administrator: Administrator, clock: ClockControl, jobs: Jobs) -> Clock:
    """Move it forward."""
    emulation.advance(clock, jobs, body.seconds)
    return translate.clock(clock)


@operation("advanceClockForJob")
def advance_clock_for_job(
    job_id: JobId, body: AdvanceForJob, administrator: Administrator, clock: ClockControl, jobs: Jobs
) -> Clock:
    """Move it forward as far as a job needs."""
    emulation.advance_until(clock, jobs, job_id, emulation.JobMoment(body.until))
    return translate.clock(clock)
