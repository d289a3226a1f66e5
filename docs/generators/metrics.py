"""Every metric: its kind, its labels and what it counts, as the collectors declare them."""

from __future__ import annotations

from collections.abc import Iterator

from qumulus.execution.metrics import Jobs, Pending, Tally
from qumulus.http.metrics import Requests, Well

from .markdown import sentence, table


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "`GET /metrics` has them in the text format of Prometheus, without a credential. [Logging and metrics](../LOGGING.md) says which"
    yield "process they speak of; `deploy/alerts.yaml` and `deploy/dashboard.json` use them."
    yield ""
    yield from table(("metric", "kind", "labels", "what it counts"), _rows())
    yield "The figures of the process itself, `process_…` and `python_info`, are those of Prometheus' client for Python."


def _rows() -> Iterator[tuple[str, str, str, str]]:
    tally, requests = Tally(), Requests()
    tally.died()
    requests.count("ibm", "GET", 200, 0.1)
    snapshot = tally.snapshot(busy=0, workers=1)
    collectors = (requests, Jobs(lambda: snapshot), Pending(lambda: {"brisbane": 1}), Well(lambda: {"disk": True}))
    labels = {"qumulus_job_failures": "reason"}  # there is none before a job has failed
    for collector in collectors:
        for metric in collector.collect():
            named = {label for sample in metric.samples for label in sample.labels} - {"le"}
            told = ", ".join(f"`{label}`" for label in sorted(named or {labels.get(metric.name, "")} - {""}))
            end = "_total" if metric.type == "counter" else ""
            yield f"`{metric.name}{end}`", metric.type, told, sentence(metric.documentation)
