"""Runs that are over before they may be: by the clock of the cloud their jobs still run, and nothing of this machine is taken up.

A device takes its time for a job, whatever the simulation took. Until then the outcome is kept here, under the same lease; if
this process ends before, the next one has the job run again, with the same seed.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime

from qumulus.core.clock import ClockMode
from qumulus.core.events import Events
from qumulus.core.ports import Claim, Clock, DeviceRules
from qumulus.core.queues import device_seconds
from qumulus.core.results import Failure, LogLine, Outcome

from .job_run import Ending, JobRun
from .reasons import STOPPED, stands

MOST = 256  # runs; who comes then waits in its slot
LOOK_SECONDS = 0.1  # how often the clock is looked at that another process may set

log = logging.getLogger("qumulus.execution")


@dataclass(frozen=True, slots=True)
class _Kept:
    run: JobRun
    outcome: Outcome
    until: datetime


class Lingering:
    """Keeps outcomes until their time has come. One thread ends them."""

    def __init__(self, clock: Clock, events: Events) -> None:
        self._clock = clock
        self._events = events
        self._kept: dict[str, _Kept] = {}  # by job
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="qumulus-lingering", daemon=True)

    def start(self) -> None:
        """Begin to end them."""
        self._events.clock.subscribe(self._look)
        self._thread.start()

    def keep(self, run: JobRun, outcome: Outcome, until: datetime) -> None:
        """Keep an outcome of a run that is known to run until it is ``until`` in the cloud."""
        run.attempt.expect_end(until)
        if self._clock.setting.mode is ClockMode.MANUAL:
            run.attempt.write([LogLine(self._clock.now(), stands(self._clock.now(), until))])
        with self._changed:
            self._changed.wait_for(lambda: len(self._kept) < MOST or run.given_up.is_set() or self._stopping)
            self._kept[run.claim.job_id] = _Kept(run, outcome, until)
            self._changed.notify_all()

    def claims(self) -> list[Claim]:
        """Return the claims that go on until their time has come."""
        return [kept.run.claim for kept in list(self._kept.values())]

    def end(self, job_id: str, ending: Ending, attempt: int | None = None) -> None:
        """End a run before its time."""
        with self._changed:
            kept = self._kept.get(job_id)
            if kept is not None and attempt in (None, kept.run.claim.attempt):
                kept.run.ending = kept.run.ending or ending
                kept.run.given_up.set()
            self._changed.notify_all()  # also who waits for room looks whether it was given up

    def emptied(self, within: float) -> bool:
        """Wait until nothing lingers; False where something still does after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._kept, within)

    def stop(self, seconds: float) -> None:
        """End nothing more."""
        self._events.clock.unsubscribe(self._look)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _look(self, _: None) -> None:
        with self._changed:
            self._changed.notify_all()

    def _loop(self) -> None:
        while (due := self._due()) is not None:
            for kept in due:
                try:
                    _ended(kept)
                except Exception:  # a mistake of ours must not cost the others: this job's lease runs out
                    log.exception(
                        "How job %s ended can't be stored because of an error of ours.", kept.run.claim.job_id
                    )
                with self._changed:
                    self._kept.pop(kept.run.claim.job_id, None)
                    self._changed.notify_all()

    def _due(self) -> list[_Kept] | None:
        """Wait for runs whose time has come, and return them in their order; None when this has ended."""
        with self._changed:
            while not self._stopping:
                now = self._clock.now()
                due = [kept for kept in self._kept.values() if kept.run.given_up.is_set() or kept.until <= now]
                if due:
                    return sorted(due, key=lambda kept: kept.until)
                self._changed.wait(self._patience())
        return None

    def _patience(self) -> float | None:
        if not self._kept:
            return None
        left = self._clock.seconds_until(min(kept.until for kept in self._kept.values()))
        return LOOK_SECONDS if left is None else min(left, LOOK_SECONDS)


def device_time(claim: Claim, outcome: Outcome, rules: DeviceRules) -> float:
    """Return how many seconds of the cloud the device takes for a job, whatever the simulation took."""
    device = claim.device
    least, queue = rules.settings(device).least_run_seconds, rules.queue(device)
    if queue is None or outcome.failure not in (None, Failure.TIME):
        return least
    counted = outcome.run_seconds if outcome.metadata.get("billed") else None
    seconds = device_seconds(claim.program.shots) if counted is None else counted
    return max(least, queue.setting.run_scale * seconds)


def _ended(kept: _Kept) -> None:
    if kept.run.ending in (Ending.CANCELLED, Ending.STOPPED):
        kept.run.attempt.release(counted=False, reason=STOPPED)
        return
    kept.run.attempt.finish(lambda _: kept.outcome)
