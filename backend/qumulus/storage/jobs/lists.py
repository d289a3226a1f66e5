"""Lists of jobs: what a query asks for, page by page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, and_, func, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from qumulus.core.ports import JobQuery, Page
from qumulus.storage.database.tables import POSTGRES, jobs

from . import rows


class each_text(GenericFunction[str]):  # noqa: N801  it is called like a function of the database
    """The texts in a list that is kept as JSON, a row each."""

    type = String()
    inherit_cache = True


@compiles(each_text)
def _(element: each_text, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.function_argspec(element, **options)}"


@compiles(each_text, POSTGRES)
def _(element: each_text, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text{compiler.function_argspec(element, **options)}"


def page(connection: Connection, query: JobQuery) -> Page:
    """Return the jobs of a page, and how many match in all."""
    condition = and_(True, *conditions(query))
    order = (jobs.c.created_at, jobs.c.number)
    if query.descending:
        order = tuple(column.desc() for column in order)
    wanted = select(*rows.JOB_COLUMNS).where(condition).order_by(*order).offset(query.offset).limit(query.limit)
    found = tuple(rows.to_job(row) for row in connection.execute(wanted))
    total = connection.execute(select(func.count()).select_from(jobs).where(condition)).scalar_one()
    return Page(found, total)


def tags(connection: Connection, account: str, prefix: str) -> tuple[str, ...]:
    """Return the tags of an account's jobs that begin so."""
    each = each_text(jobs.c.tags).table_valued("value")
    wanted = select(each.c.value).select_from(jobs.join(each, true())).where(jobs.c.account == account).distinct()
    found = connection.execute(wanted.where(each.c.value.startswith(prefix, autoescape=True))).scalars()
    return tuple(sorted(tag for tag in found if tag.startswith(prefix)))


def conditions(query: JobQuery) -> list[Any]:
    """Return what a query asks of each job, as conditions."""
    column = jobs.c
    found: list[Any] = [
        column[name] == value
        for name in ("id", "account", "device", "api", "session", "instance")
        if (value := getattr(query, name)) is not None
    ]
    if query.without_devices:
        found.append(column.device.not_in(sorted(query.without_devices)))
    if query.alone:
        found.append(column.session.is_(None))
    if query.states is not None:
        found.append(column.state.in_(sorted(query.states)))
    if query.kinds is not None:
        found.append(column.kind.in_(sorted(query.kinds)))
    for tag in query.tags:
        each = each_text(column.tags).table_valued("value")
        found.append(select(each.c.value).where(each.c.value == tag).exists())
    if query.text is not None:
        found.append(or_(*(column[name].icontains(query.text, autoescape=True) for name in ("id", "name", "note"))))
    bounds: list[tuple[datetime | None, Callable[[Any], Any]]] = [
        (query.created_after, lambda at: column.created_at >= at),
        (query.created_before, lambda at: column.created_at <= at),
        (query.queued_after, lambda at: column.queued_at >= at),
        (query.queued_before, lambda at: column.queued_at <= at),
    ]
    found += [condition(at) for at, condition in bounds if at is not None]
    return found
