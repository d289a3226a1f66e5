"""What a query asks of each job, as conditions, and through which index the jobs are looked for.

SQLite knows nothing about its rows and would choose blindly, so it is told: the members that are not to be looked for by their indexes
are written so that it sees none for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from qumulus.core.jobs import FINAL, PENDING
from qumulus.core.ports import JobQuery
from qumulus.storage.database.counting import job_tags
from qumulus.storage.database.tables import IS_ENDED, IS_PENDING, POSTGRES, Word, jobs

from .counts import Estimate

ID_CHARACTERS = frozenset("0123456789abcdef-")  # of the identifiers that are made here
ANY = "any"  # the driver of who leaves the choice to the database
TEXT = "text"  # that of who has PostgreSQL look at what has a text, and at nothing else


def driver(connection: Connection, query: JobQuery, estimate: Estimate) -> str:
    """Return the member through whose index the jobs are looked for."""
    if connection.dialect.name == POSTGRES:
        return ANY
    if query.id is not None:
        return "id"
    if query.session is not None:
        return "session"
    if by_submission(query):
        return "submitted"
    return estimate.driver or "created_at"


def through_number(connection: Connection) -> str:
    """Return the driver of who knows which jobs it can be."""
    return ANY if connection.dialect.name == POSTGRES else "number"


def by_submission(query: JobQuery) -> bool:
    """Whether a list is in the order in which jobs were submitted, because it asks for a time of that: the same index serves both."""
    return query.account is not None and (query.queued_after or query.queued_before) is not None


def may_be_of_id(text: str) -> bool:
    """Whether a text can be a part of an identifier as they are made here."""
    return ID_CHARACTERS.issuperset(text.lower())


def in_order(query: JobQuery, descending: bool) -> tuple[ColumnElement[Any], ...]:
    """Return by what a list is sorted."""
    columns = (placed(query), jobs.c.number)
    return tuple(column.desc() for column in columns) if descending else columns


def placed(query: JobQuery) -> ColumnElement[Any]:
    """Return by what a list is in order."""
    return jobs.c.queued_at if by_submission(query) else jobs.c.created_at


def of(query: JobQuery, driver: str = ANY) -> list[ColumnElement[bool]]:
    """Return what a query asks of each job, as conditions; the database sees an index for that of the driver alone."""

    def column(name: str) -> Any:
        if driver == TEXT:
            return _hidden_from_all(jobs.c[name])
        free = driver in (ANY, name) or (driver == "submitted" and name in ("account", "queued_at"))
        return jobs.c[name] if free else hidden(jobs.c[name])

    found: list[ColumnElement[bool]] = [
        column(name) == value
        for name in ("id", "account", "device", "api", "session", "instance")
        if (value := getattr(query, name)) is not None
    ]
    if query.without_devices:
        found.append(column("device").not_in(sorted(query.without_devices)))
    if query.alone:
        found.append(column("session").is_(None))
    if query.states is not None:
        found += _in_states(query, column("state"), driver)
    if query.kinds is not None:
        found.append(column("kind").in_(sorted(query.kinds)))
    found += [_has(tag, query.account, driver) for tag in query.tags]
    if query.text is not None:
        found.append(has_text(jobs.c, query.text))
    return found + _times(query, column, jobs.c.created_at if driver != TEXT else column("created_at"))


def hidden(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column for which SQLite sees no index."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _hidden_from_all(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column for which PostgreSQL sees no index either: for it, only numbers have signs."""
    return column.concat("") if isinstance(column.type, Word) else hidden(column)


def has_text(columns: ReadOnlyColumnCollection[str, Any], text: str) -> ColumnElement[bool]:
    """Return the condition that a job has a text where it may be."""
    names = ("id", "name", "note") if may_be_of_id(text) else ("name", "note")
    return or_(*(columns[name].icontains(text, autoescape=True) for name in names))


def _in_states(query: JobQuery, column: Any, driver: str) -> list[ColumnElement[bool]]:
    """Return the conditions on the state. An index of some states serves where its own condition is named too."""
    states = query.states or frozenset()
    named = column == min(states) if len(states) == 1 else column.in_(sorted(states))
    if driver not in ("state", ANY):
        return [named]
    if states <= PENDING:
        return [IS_PENDING] if states == PENDING else [IS_PENDING, named]
    return [IS_ENDED, named] if states <= FINAL else [named]


def _has(tag: str, account: str | None, driver: str) -> ColumnElement[bool]:
    """Return the condition that a job has a tag: of few jobs those of the tag are looked at, of many each is asked for it."""
    its = job_tags.c.tag == tag
    if driver in ("tags", ANY) and account is not None:
        return jobs.c.number.in_(select(job_tags.c.job).where(its, job_tags.c.account == account))
    return select(job_tags.c.tag).where(its, job_tags.c.job == jobs.c.number).exists()


def _times(query: JobQuery, column: Callable[[str], Any], created: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Return the conditions on times. That of creation is the second member of every index in the order of lists."""
    bounds: list[tuple[datetime | None, Callable[[Any], ColumnElement[bool]]]] = [
        (query.created_after, lambda at: created >= at),
        (query.created_before, lambda at: created <= at),
        (query.queued_after, lambda at: column("queued_at") >= at),
        (query.queued_before, lambda at: column("queued_at") <= at),
    ]
    return [condition(at) for at, condition in bounds if at is not None]
