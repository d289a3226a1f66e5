"""Workloads: `core.ports.Workloads` on the database.

Sessions are few, and what one is doing follows from the times of its jobs by the core's rules: all that may match are read.
Jobs are many: of them only a page is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select, true, tuple_

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
from qumulus.storage.database import texts
from qumulus.storage.database.counting import job_counts, job_tags
from qumulus.storage.database.database import Database
from qumulus.storage.database.tables import jobs, sessions

from . import activity, conditions, counts, lists, rows
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
            total = len(found)
            if query.kind in (None, WorkloadKind.JOB):
                condition, count = _matching(connection, query)
                total += count
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


def _matching(connection: Connection, query: WorkloadQuery) -> tuple[ColumnElement[bool], int]:
    """Return the condition on jobs that match, and how many there are."""
    wanted = _of_jobs(query)
    estimate = counts.of(connection, wanted, _ended_so(query, job_counts.c))
    asked, known, tag = (
        (true(), False, None) if query.text is None else _with_text(connection, query.text, query.account)
    )
    through = conditions.through_number(connection) if known else conditions.driver(connection, wanted, estimate)
    condition = and_(asked, *conditions.of(wanted, through), _ended_so(query, jobs.c))
    if estimate.count == 0 or (estimate.exact and query.text is None):
        return condition, estimate.count
    most = None if known or query.text is None else lists.MOST_COUNTED
    if most is not None and tag is not None:
        tagged = counts.of(connection, replace(wanted, tags=(*wanted.tags, tag)), _ended_so(query, job_counts.c))
        if tagged.exact:
            return condition, min(tagged.count, most)
    return condition, lists.count(connection, condition, most)


def _of_jobs(query: WorkloadQuery) -> JobQuery:
    """Return what a query asks of jobs, but for what `_ended_so` and `_with_text` say."""
    states = None
    if query.statuses is not None:
        states = frozenset(state for state, status in JOB_STATUS.items() if status in query.statuses)
        states |= {JobState.FAILED} if WorkloadStatus.CANCELLED in query.statuses else set()
    return JobQuery(
        account=query.account,
        instance=query.instance,
        kinds=query.job_kinds,
        device=query.device,
        without_devices=query.without_devices,
        states=states,
        alone=True,
        tags=query.tags,
        created_after=query.created_after,
        created_before=query.created_before,
    )


def _ended_so(query: WorkloadQuery, column: Any) -> ColumnElement[bool]:
    """Return the condition on those that failed: one that ran for too long counts as cancelled."""
    if query.statuses is None or (WorkloadStatus.FAILED in query.statuses) is (
        WorkloadStatus.CANCELLED in query.statuses
    ):
        return true()
    too_long = func.coalesce(column.failure, "") == Failure.TIME.value
    return or_(
        column.state != JobState.FAILED.value, too_long if WorkloadStatus.CANCELLED in query.statuses else ~too_long
    )


def _with_text(connection: Connection, text: str, account: str) -> tuple[ColumnElement[bool], bool, str | None]:
    """Return the condition that a job has a text in its identifier or in a tag, whether it names few jobs, and the tag if it is one's alone."""
    tags = lists.tags_with(connection, account, text)
    its = and_(job_tags.c.account == account, job_tags.c.tag.in_(tags))
    tagged = connection.execute(select(job_tags.c.job).where(its).limit(lists.FEW + 1)).scalars().all() if tags else ()
    named = texts.numbers(connection, text, lists.FEW) if conditions.may_be_of_id(text) else ()
    in_id = jobs.c.id.icontains(text, autoescape=True)
    if named is not None and len(tagged) <= lists.FEW:
        return or_(jobs.c.number.in_(tagged), and_(jobs.c.number.in_(named), in_id)), True, None
    is_tagged = select(job_tags.c.tag).where(its, job_tags.c.job == jobs.c.number).exists()
    alone = tags[0] if named is not None and not named and len(tags) == 1 else None
    return or_(in_id, is_tagged) if conditions.may_be_of_id(text) else is_tagged, False, alone


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
