"""Sums of what jobs and sessions used, made by the database: by instance, device, account and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, func, literal_column, select, type_coerce

from qumulus.core.sessions import SessionMode
from qumulus.core.workloads import Activity, Scope, Spent
from qumulus.storage.database.columns import EPOCH, MICROSECOND
from qumulus.storage.database.tables import jobs, sessions

DAY = timedelta(days=1)


def within(
    connection: Connection, instances: Collection[str], job_kinds: Collection[str], start: datetime, end: datetime
) -> Mapping[Scope, Activity]:
    """Select what was sent from ``start`` until before ``end`` for these instances."""
    found: defaultdict[Scope, Activity] = defaultdict(Activity)

    def sent(table: Table) -> list[ColumnElement[bool]]:
        column = table.c
        return [column.instance.in_(sorted(instances)), column.created_at >= start, column.created_at < end]

    alone = jobs.c.session.is_(None)
    waited = _microseconds(jobs.c.running_at) - _microseconds(jobs.c.queued_at)
    measured = select(
        *_scope(jobs),
        *_spent("jobs", jobs.c.run_seconds),
        func.count().filter(alone).label("alone"),
        func.coalesce(func.sum(jobs.c.run_seconds).filter(alone), 0.0).label("alone_seconds"),
        func.coalesce(func.max(jobs.c.run_seconds).filter(alone), 0.0).label("alone_most"),
        func.count(waited).label("waiting"),
        func.coalesce(func.sum(waited), 0).label("waiting_seconds"),
        func.coalesce(func.max(waited), 0).label("waiting_most"),
    )
    of_kind = jobs.c.kind.in_(sorted(job_kinds))
    for row in connection.execute(measured.where(*sent(jobs), of_kind).group_by(*_scope(jobs))):
        found[_to_scope(row)] += Activity(
            jobs=Spent(row.jobs, row.jobs_seconds, row.jobs_most),
            alone=Spent(row.alone, row.alone_seconds, row.alone_most),
            waiting=Spent(row.waiting, float(row.waiting_seconds) / 1e6, row.waiting_most / 1e6),
        )

    seconds = func.coalesce(func.sum(jobs.c.run_seconds), 0.0).label("seconds")
    each = select(*_scope(sessions), sessions.c.mode, seconds).select_from(
        sessions.outerjoin(jobs, jobs.c.session == sessions.c.id)
    )
    used = each.where(*sent(sessions)).group_by(sessions.c.id).subquery()
    keys = (used.c.instance, used.c.device, used.c.account, used.c.day, used.c.mode)
    for row in connection.execute(select(*keys, *_spent("sessions", used.c.seconds)).group_by(*keys)):
        spent = Spent(row.sessions, row.sessions_seconds, row.sessions_most)
        dedicated = row.mode == SessionMode.DEDICATED.value
        found[_to_scope(row)] += Activity(dedicated=spent) if dedicated else Activity(batches=spent)
    return found


def _microseconds(moment: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(moment, BigInteger)


def _scope(table: Table) -> tuple[ColumnElement[Any], ...]:
    a_day: ColumnElement[int] = literal_column(
        str(DAY // MICROSECOND), BigInteger
    )  # bound, it would be two to `group by`
    day = _microseconds(table.c.created_at) // a_day
    return table.c.instance, table.c.device, table.c.account, day.label("day")


def _to_scope(row: Any) -> Scope:
    return Scope(instance=row.instance, device=row.device, account=row.account, day=(EPOCH + int(row.day) * DAY).date())


def _spent(name: str, seconds: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """Return how many there are, with the sum and the most of their seconds."""
    return (
        func.count().label(name),
        func.coalesce(func.sum(seconds), 0.0).label(f"{name}_seconds"),
        func.coalesce(func.max(seconds), 0.0).label(f"{name}_most"),
    )
