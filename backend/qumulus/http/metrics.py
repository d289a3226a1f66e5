"""The figures of the server that Prometheus reads.

Counting is a dictionary and a lock; the library, which takes longer to import than a request to answer, comes in when
somebody looks.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prometheus_client import Metric

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # what else comes is counted together
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # upper ends of the buckets


class Collector(Protocol):
    """Something that can be counted, as `prometheus_client` asks for it."""

    def collect(self) -> Iterable[Metric]: ...


def text(collectors: Iterable[Collector]) -> str:
    """Return all metrics, with those of the process itself, in the text format of Prometheus."""
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry).decode()


@dataclass(frozen=True, slots=True, eq=False)
class _Families:
    """Metrics that are known already, as something that can be counted."""

    found: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.found


def together(texts: Mapping[str, str]) -> str:
    """Return the metrics of several processes as one text; each sample has the key of its text as the label ``process``.

    They are not added up: a counter of a process that is started again falls to zero, and Prometheus has to see which one.
    """
    from prometheus_client import CollectorRegistry, Metric, generate_latest
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, Metric] = {}
    for process, text in sorted(texts.items()):
        for family in text_string_to_metric_families(text):
            metric = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                metric.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
    registry = CollectorRegistry()
    registry.register(_Families(list(found.values())))
    return generate_latest(registry).decode()


@dataclass
class _Durations:
    """A histogram: how many took at most so long, the last place for longer ones, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0


class Requests:
    """Requests answered, by API, method and status, and how long they took, by API."""

    def __init__(self) -> None:
        self._answered: Counter[tuple[str, str, str]] = Counter()
        self._durations: dict[str, _Durations] = {}
        self._lock = threading.Lock()

    def count(self, api: str, method: str, status: int, seconds: float) -> None:
        """Add one answered request."""
        with self._lock:
            self._answered[api, method if method in METHODS else "other", str(status)] += 1
            durations = self._durations.setdefault(api, _Durations())
            durations.counts[bisect_left(SECONDS, seconds)] += 1
            durations.total += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield the counter and the histogram."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        answered = CounterMetricFamily("qumulus_requests", "Requests answered.", labels=["api", "method", "status"])
        took = HistogramMetricFamily("qumulus_request_seconds", "How long requests took.", labels=["api"])
        ends = [*map(str, SECONDS), "+Inf"]
        with self._lock:
            for labels, number in sorted(self._answered.items()):
                answered.add_metric(labels, number)
            for api, durations in sorted(self._durations.items()):
                buckets = list(zip(ends, map(float, accumulate(durations.counts)), strict=True))
                took.add_metric([api], buckets, durations.total)
        yield answered
        yield took


@dataclass(frozen=True, slots=True)
class Well:
    """Whether what the server needs is well, by name."""

    by_name: Callable[[], Mapping[str, bool]]

    def collect(self) -> Iterator[Metric]:
        """The one gauge."""
        from prometheus_client.core import GaugeMetricFamily

        well = GaugeMetricFamily("qumulus_well", "Whether something that the server needs is well.", labels=["check"])
        for name, is_well in self.by_name().items():
            well.add_metric([name], float(is_well))
        yield well
