"""The queue that others cause at a device: jobs of people who do not exist, which come, wait, run and go by the clock of the cloud.

They are served one after the other, in the order in which they come. Ours start when all those are done that came before them;
those that come later do not count. Everything follows from what was set, the seed among it: nothing ticks, and every process
that looks sees the same.
"""

from __future__ import annotations

import random
import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSetting:
    """What is set of a device's queue."""

    waiting: int = 0  # jobs of others that are there when it begins
    arrivals_per_hour: float = 0.0
    mean_run_seconds: float = 10.0
    for_hours: float = 168.0  # in which they come
    recorded: tuple[tuple[float, float], ...] = ()  # instead: seconds after the beginning, seconds of the run
    run_scale: float = 0.0  # how long our jobs run, in what the service counts for them; 0: as long as it takes here
    seed: int = 0


def device_seconds(shots: int | None) -> float:
    """Return for how long a device is busy with a job whose service counts nothing: an overhead, and so much for each shot."""
    return 2.0 + 250e-6 * (shots or 1000)


class OthersQueue:
    """The jobs of others at one device. Safe to use from several threads."""

    def __init__(self, device: str, setting: QueueSetting, since: datetime) -> None:
        self.setting = setting
        self.since = since
        self._arrivals, self._ends = array("d"), array("d")  # seconds after the beginning, both in order
        self._jobs = _jobs(device, setting)
        self._next: tuple[float, float] | None = next(self._jobs, None)
        self._lock = threading.Lock()

    def ready_at(self, queued_at: datetime) -> datetime:
        """When those are done that came before a job which was queued then."""
        with self._lock:
            before = self._came_until(self._seconds(queued_at))
            done = self._ends[before - 1] if before else 0.0
        return max(queued_at, self.since + timedelta(seconds=done)) if before else queued_at

    def ahead(self, queued_at: datetime, now: datetime) -> int:
        """Return how many of others are still to run, or run, before a job which was queued then."""
        with self._lock:
            before = self._came_until(self._seconds(queued_at))
            return max(0, before - bisect_right(self._ends, self._seconds(now)))

    def present(self, now: datetime) -> int:
        """Return how many of others wait or run now."""
        return self.ahead(now, now)

    def _seconds(self, at: datetime) -> float:
        return (at - self.since).total_seconds()

    def _came_until(self, seconds: float) -> int:
        """Return how many came by then."""
        while self._next is not None and self._next[0] <= seconds:
            arrival, run = self._next
            self._ends.append(max(arrival, self._ends[-1] if self._ends else 0.0) + run)
            self._arrivals.append(arrival)
            self._next = next(self._jobs, None)
        return bisect_right(self._arrivals, seconds)


def _jobs(device: str, setting: QueueSetting) -> Iterator[tuple[float, float]]:
    """Yield the jobs of others in the order in which they come: when, and for how long each runs."""
    if setting.recorded:
        yield from sorted(setting.recorded)
        return
    drawn = random.Random(f"queue {setting.seed} {device}")  # noqa: S311  repeated, not secret
    for _ in range(setting.waiting):
        yield 0.0, drawn.expovariate(1 / setting.mean_run_seconds)
    at = 0.0
    while (
        setting.arrivals_per_hour
        and (at := at + drawn.expovariate(setting.arrivals_per_hour / HOUR)) <= setting.for_hours * HOUR
    ):
        yield at, drawn.expovariate(1 / setting.mean_run_seconds)
