"""Workloads, from the service's words to the core's and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import MISSING, AnyUrl
from starlette.datastructures import URL

from qumulus.apis.ibm import names
from qumulus.apis.ibm.runtime import programs
from qumulus.apis.ibm.runtime.schemas.workload import Mode, Page, Status, Workload, WorkloadsResponse
from qumulus.core import workloads as core
from qumulus.core.accounts import Caller
from qumulus.core.workloads import WorkloadKind, WorkloadStatus

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

MODES: Mapping[WorkloadKind, Mode] = {
    WorkloadKind.JOB: Mode.JOB,
    WorkloadKind.DEDICATED: Mode.SESSION,
    WorkloadKind.BATCH: Mode.BATCH,
}
KINDS = {mode: kind for kind, mode in MODES.items()}
STATUSES: Mapping[WorkloadStatus, Status] = {
    WorkloadStatus.PENDING: Status.PENDING,
    WorkloadStatus.RUNNING: Status.IN_PROGRESS,
    WorkloadStatus.COMPLETED: Status.COMPLETED,
    WorkloadStatus.FAILED: Status.FAILED,
    WorkloadStatus.CANCELLED: Status.CANCELED,
}
CORE_STATUSES = {status: known for known, status in STATUSES.items()}


def query(
    caller: Caller,
    *,
    hidden: frozenset[str],
    backend: str | None,
    mode: Mode | None,
    statuses: Sequence[Status] | None,
    search: str | None,
    tags: Sequence[str] | None,
    created: tuple[datetime | None, datetime | None],
    newest_first: bool,
    cursors: tuple[str | None, str | None],
    limit: int,
) -> core.WorkloadQuery:
    """What is asked for. ``hidden`` are the devices to leave out, ``cursors`` those of the previous and of the next page."""
    before, after = (None if cursor is None else place(cursor) for cursor in cursors)
    created_after, created_before = created
    return core.WorkloadQuery(
        account=caller.account,
        instance=caller.instance or "",
        job_kinds=programs.KINDS,
        device=None if backend is None else names.core_or_unknown(backend),
        without_devices=hidden,
        kind=None if mode is None else KINDS[mode],
        statuses=frozenset(CORE_STATUSES[status] for status in statuses) if statuses else None,
        text=search,
        tags=tuple(tags or ()),
        created_after=created_after,
        created_before=created_before,
        descending=newest_first,
        after=after,
        before=before,
        limit=limit,
    )


def place(cursor: str) -> core.Place:
    """The place that a cursor, or the address that ends with one, stands for."""
    microseconds, _, workload_id = cursor.rpartition("=")[2].partition("~")
    return core.Place(EPOCH + int(microseconds) * MICROSECOND, workload_id)


def cursor(place: core.Place) -> str:
    """A place as text."""
    return f"{(place.created_at - EPOCH) // MICROSECOND}~{place.id}"


def page(found: core.WorkloadPage, limit: int, asked: URL) -> WorkloadsResponse:
    """A page, with the addresses of its neighbours: those of the request with another cursor at the end."""
    listed = found.workloads

    def neighbour(name: str, there: bool, position: int) -> Page | MISSING:
        if not there or not listed:
            return MISSING
        bare = asked.remove_query_params(["previous", "next"])
        return Page(href=AnyUrl(f"{bare}{'&' if bare.query else '?'}{name}={cursor(listed[position].place)}"))

    return WorkloadsResponse(
        workloads=[workload(each) for each in listed],
        total_count=found.total,
        limit=limit,
        previous=neighbour("previous", found.earlier, 0),
        next=neighbour("next", found.later, -1),
    )


def workload(each: core.Workload) -> Workload:
    """A workload as people see it."""
    single = each.kind is WorkloadKind.JOB
    used = MISSING if each.run_seconds is None else each.run_seconds
    return Workload(
        id=each.id,
        created=each.created_at,
        ended=each.ended_at or MISSING,
        backend=names.to_wire(each.device),
        instance=each.instance or "",
        user_id=each.account,
        accepting_jobs=MISSING if each.accepts_jobs is None else each.accepts_jobs,
        mode=MODES[each.kind],
        status=STATUSES[each.status],
        status_reason=each.reason or MISSING,
        tags=list(each.tags) if single else MISSING,
        usage_seconds=used,
        estimated_running_time_seconds=MISSING if each.expected_seconds is None else each.expected_seconds,
    )
