"""What an execution has used, what that costs, and what its program has started."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from pydantic import MISSING

from qumulus.apis.given import said
from qumulus.apis.planqk.executions import PARENT
from qumulus.apis.planqk.platform.schemas import execution as wire
from qumulus.core.jobs import Job
from qumulus.core.services import service_of

from .service_executions import Known, members

FREE = wire.Money(amount="0", currency="EUR")  # nobody pays here, so a price in percent of that is nothing, too


def metrics(job: Job) -> wire.Metrics:
    """What an execution has used, told once it has ended; what nobody has measured is left out."""
    used: Mapping[str, float] = job.metadata.get("usage", {})
    limits: Mapping[str, float] = job.metadata.get("limits", {})
    seconds = used.get("cpu_seconds")
    cores = None if seconds is None or not job.run_seconds else seconds / job.run_seconds
    return wire.Metrics(
        service_execution_id=job.id,
        cpu_usage=_series(cores, job.ended_at),
        cpu_limit=_series(limits.get("cores"), job.running_at, job.ended_at),
        memory_usage=_series(used.get("memory_bytes"), job.ended_at),
        memory_limit=_series(limits.get("memory_bytes"), job.running_at, job.ended_at),
        start_time=said(_milliseconds(job.running_at)),
        end_time=said(_milliseconds(job.ended_at)),
    )


def cost(job: Job, known: Known) -> wire.Cost:
    """What an execution costs: nothing, for every second that it ran."""
    service = known.get(service_of(job.device))
    ended = job.ended_at
    return wire.Cost(
        consumer_id=job.account,
        provider_id=None,
        product_name=service_of(job.device) if service is None else service.title,
        unit_price=FREE,
        quantity=math.ceil(job.run_seconds or 0),
        timestamp=said(None if ended is None else ended.astimezone(UTC).isoformat()),
        total_amount=FREE,
    )


def lineage(root: Job, later: Iterable[Job], known: Known, *, truncated: bool) -> wire.Lineage:
    """An execution and all that was started beneath it, found among those that were sent later; the oldest first."""
    below: dict[str | None, list[Job]] = defaultdict(list)
    for job in later:
        below[job.request.get(PARENT)].append(job)
    found, waiting = [root], [root.id]
    while waiting:
        children = below.pop(waiting.pop(), [])
        found += children
        waiting += [child.id for child in children]
    found.sort(key=lambda job: (job.created_at, job.id))
    return wire.Lineage(nodes=[_node(job, known, root) for job in found], truncated=truncated)


def _node(job: Job, known: Known, root: Job) -> wire.LineageNode:
    shown = members(job, known)
    told = ("id", "type", "status", "created_at", "started_at", "ended_at", "service_id", "tags")
    parent = MISSING if job.id == root.id else said(job.request.get(PARENT))
    return wire.LineageNode(**{name: shown[name] for name in told}, parent_id=parent)


def _series(value: float | None, *times: datetime | None) -> list[wire.DataPoint]:
    """The same value at those of the times that are known."""
    stamps = (_milliseconds(at) for at in times)
    return [] if value is None else [wire.DataPoint(timestamp=at, value=value) for at in stamps if at is not None]


def _milliseconds(at: datetime | None) -> str | None:
    return None if at is None else str(round(at.timestamp() * 1000))
