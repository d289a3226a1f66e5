"""Workloads: `core.ports.Workloads` on the database.

Sessions are few, and what one is doing follows from the times of its jobs by the core's rules: all that may match are read.
Jobs are many: of them only a page is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select, tuple_

from qumulus.core.jobs import JobState
from qumulus.core.ports import Clock, JobQuery
from qumulus.core.results import Failure
from qumulus.core.workloads import (
    JOB_STATUS,
    SESSION_KIND,
    Activity,
    Place,
    Scope,
    Workload,
    WorkloadKind,
    WorkloadPage,
    WorkloadQuery,
    WorkloadStatus,
    of_job,
    of_session,
)
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import jobs, sessions

from . import activity, lists, rows
from .sessions import matching


class SqlWorkloads:
    """Sessions, and the jobs that belong to none."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def find(self, query: WorkloadQuery) -> WorkloadPage:
        """Return a page of workloads. See `core.ports.Workloads`."""
        forwards = query.after is not None or query.before is None
        edge = query.after if forwards else query.before
        descending = query.descending is forwards  # the order in which to look, away from the edge
        with self._database.read() as connection:
            found = self._sessions(connection, query)
            condition = _of_jobs(query)
            total = (
                len(found) + connection.execute(select(func.count()).select_from(jobs).where(condition)).scalar_one()
            )
            found += _jobs(connection, condition, edge, descending=descending, limit=query.limit + 1)
        if edge is not None:
            found = [each for each in found if each.place != edge and (each.place < edge) is descending]
        found.sort(key=lambda each: each.place, reverse=descending)
        page, more = found[: query.limit], len(found) > query.limit
        if forwards:
            return WorkloadPage(tuple(page), total, earlier=edge is not None, later=more)
        return WorkloadPage(tuple(reversed(page)), total, earlier=more, later=True)

    def activity(
        self, instances: Collection[str], job_kinds: Collection[str], start: datetime, end: datetime
    ) -> Mapping[Scope, Activity]:
        """Sum up what was done for instances. See `core.ports.Workloads`."""
        with self._database.read() as connection:
            return activity.within(connection, instances, job_kinds, start, end)

    def _sessions(self, connection: Connection, query: WorkloadQuery) -> list[Workload]:
        """Return all sessions that match."""
        column = sessions.c
        if query.tags or query.kind is WorkloadKind.JOB:
            return []
        conditions = [column.account == query.account, column.instance == query.instance]
        if query.device is not None:
            conditions.append(column.device == query.device)
        if query.without_devices:
            conditions.append(column.device.not_in(sorted(query.without_devices)))
        if query.kind is not None:
            conditions.append(column.mode == next(mode for mode, kind in SESSION_KIND.items() if kind is query.kind))
        if query.text is not None:
            conditions.append(column.id.icontains(query.text, autoescape=True))
        if query.created_after is not None:
            conditions.append(column.created_at >= query.created_after)
        if query.created_before is not None:
            conditions.append(column.created_at <= query.created_before)
        now = self._clock.now()
        found = [of_session(each, now) for each in matching(connection, *conditions)]
        return [each for each in found if query.statuses is None or each.status in query.statuses]


def _of_jobs(query: WorkloadQuery) -> ColumnElement[bool]:
    """Return what a query asks of jobs, as conditions."""
    column = jobs.c
    of_any_list = JobQuery(
        account=query.account,
        instance=query.instance,
        kinds=query.job_kinds,
        device=query.device,
        without_devices=query.without_devices,
        tags=query.tags,
        created_after=query.created_after,
        created_before=query.created_before,
    )
    conditions = [*lists.conditions(of_any_list), column.session.is_(None)]
    if query.kind not in (None, WorkloadKind.JOB):
        conditions.append(column.id.is_(None))
    if query.statuses is not None:
        conditions.append(or_(False, *(_doing(status) for status in sorted(query.statuses))))
    if query.text is not None:
        tag = lists.each_text(column.tags).table_valued("value").c.value
        tagged = select(tag).where(tag.icontains(query.text, autoescape=True)).exists()
        conditions.append(or_(column.id.icontains(query.text, autoescape=True), tagged))
    return and_(True, *conditions)


def _doing(status: WorkloadStatus) -> ColumnElement[bool]:
    """`core.workloads.status_of` as a condition."""
    too_long = and_(jobs.c.state == JobState.FAILED.value, jobs.c.failure == Failure.TIME.value)
    states = jobs.c.state.in_(sorted(state for state, its in JOB_STATUS.items() if its is status))
    if status is WorkloadStatus.CANCELLED:
        return or_(states, too_long)
    return and_(states, ~func.coalesce(too_long, False))


def _jobs(
    connection: Connection, condition: ColumnElement[bool], edge: Place | None, *, descending: bool, limit: int
) -> list[Workload]:
    """Return the next jobs beyond a place."""
    columns = (jobs.c.created_at, jobs.c.id)
    wanted = select(*rows.JOB_COLUMNS).where(condition).limit(limit)
    if edge is not None:
        place, there = tuple_(*columns), tuple_(literal(edge.created_at, jobs.c.created_at.type), edge.id)
        wanted = wanted.where(place < there if descending else place > there)
    order = (column.desc() if descending else column for column in columns)
    return [of_job(rows.to_job(row)) for row in connection.execute(wanted.order_by(*order))]
