"""What the dispatcher counts: jobs that ended in this process and how, how long they waited and ran, workers that died.

Counting costs nothing at the start of the server: the library that writes the exposition is imported when it is asked for.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qumulus.core.events import End

if TYPE_CHECKING:
    from prometheus_client.core import Metric

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


@dataclass(slots=True)
class Durations:
    """A histogram of seconds: how many were at most each bound of `SECONDS`, the last place counts all above."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def copy(self) -> Durations:
        """Return a copy of the figures as they are now."""
        return Durations(list(self.counts), self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The figures at one moment."""

    ended: Mapping[str, int]  # by state: succeeded, failed, cancelled
    failures: Mapping[str, int]  # by `core.results.Failure`
    waited: Durations
    ran: Durations
    deaths: int  # workers that ended in the middle of a run, killed by us or not
    busy: int = 0
    workers: int = 0


class Tally:
    """Counts, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._waited = Durations()
        self._ran = Durations()
        self._deaths = 0

    def ended(self, end: End) -> None:
        """Count a job that is final, whoever ran that job."""
        with self._lock:
            self._ended[end.state.value] += 1
            if end.failure is not None:
                self._failures[end.failure.value] += 1
            if end.run_seconds is not None:
                self._ran.add(end.run_seconds)

    def waited(self, seconds: float) -> None:
        """Count the time that a job waited until its run began."""
        with self._lock:
            self._waited.add(max(0.0, seconds))

    def died(self) -> None:
        """Count a worker that ended in the middle of a run."""
        with self._lock:
            self._deaths += 1

    def snapshot(self, *, busy: int, workers: int) -> Snapshot:
        """Return the figures now."""
        with self._lock:
            return Snapshot(
                ended=dict(self._ended),
                failures=dict(self._failures),
                waited=self._waited.copy(),
                ran=self._ran.copy(),
                deaths=self._deaths,
                busy=busy,
                workers=workers,
            )


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the figures as metrics of prometheus_client."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    ended = CounterMetricFamily("qumulus_jobs_ended", "Jobs that are final, by state", labels=["state"])
    for state in ("succeeded", "failed", "cancelled"):
        ended.add_metric([state], snapshot.ended.get(state, 0))
    yield ended
    failures = CounterMetricFamily("qumulus_job_failures", "Jobs that failed, by reason", labels=["reason"])
    for reason, count in sorted(snapshot.failures.items()):
        failures.add_metric([reason], count)
    yield failures
    for name, text, durations in (
        ("qumulus_job_waiting_seconds", "Time from the queue to a worker", snapshot.waited),
        ("qumulus_job_run_seconds", "Time that a job kept its device busy", snapshot.ran),
    ):
        buckets, sum_ = [], 0
        for bound, count in zip((*map(str, SECONDS), "+Inf"), durations.counts, strict=True):
            sum_ += count
            buckets.append((bound, sum_))
        yield HistogramMetricFamily(name, text, buckets=buckets, sum_value=durations.total)
    yield CounterMetricFamily("qumulus_worker_deaths", "Workers that ended in the middle of a run", snapshot.deaths)
    yield GaugeMetricFamily("qumulus_workers_busy", "Workers that run a job", snapshot.busy)
    yield GaugeMetricFamily("qumulus_workers", "Jobs that may run at once", snapshot.workers)


@dataclass(frozen=True, slots=True)
class Jobs:
    """The figures as `prometheus_client` collects them; ``snapshot`` gives those of the moment."""

    snapshot: Callable[[], Snapshot]

    def collect(self) -> Iterator[Metric]:
        """Return all metrics of the dispatcher."""
        return families(self.snapshot())


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits or runs, whoever runs it; ``by_device`` counts it."""

    by_device: Callable[[], Mapping[str, int]]

    def collect(self) -> Iterator[Metric]:
        """Yield the one gauge."""
        from prometheus_client.core import GaugeMetricFamily

        pending = GaugeMetricFamily("qumulus_jobs_pending", "Jobs that wait or run, by device", labels=["device"])
        for device, count in sorted(self.by_device().items()):
            pending.add_metric([device], count)
        yield pending
