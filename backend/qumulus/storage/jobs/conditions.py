"""What a query asks of each job, as conditions, and through which index the jobs are looked for.

SQLite knows nothing about its rows and would choose blindly, so it is told: the members that are not to be looked for by their indexes
are written so that it sees none for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, bindparam, func, or_, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op

from qumulus.core.jobs import FINAL, PENDING, JobState
from qumulus.core.ports import JobQuery
from qumulus.storage.database.columns import POSTGRES, Word
from qumulus.storage.database.counting import ALL_TAGS, job_counts, job_tags
from qumulus.storage.database.tables import HELD_STATES, IS_ENDED, IS_HELD, IS_PENDING, jobs

from .counts import ORDERED, Estimate

ID_CHARACTERS = frozenset("0123456789abcdef-")  # of the identifiers that are made here
ANY = "any"  # the driver of who leaves the choice to the database
TEXT = "text"  # that of who has PostgreSQL look at what has a text, and at nothing else
HELD = "held"  # that of who looks for jobs that somebody has claimed: as few as run, however many wait
REGISTERED = "registered"  # that of who looks for jobs that were never queued

FEW_IN_NO_ORDER = frozenset({TEXT, HELD, REGISTERED})
"""Drivers that give few jobs, which are sorted."""

_FREE = {"submitted": ("account", "queued_at"), REGISTERED: ("account", "queued_at")}
"""Of which members the database sees the index, where a driver is not the name of one."""

_IN_ORDER = frozenset({*ORDERED, "created_at"}) - {"state"}
"""Drivers of whose index the time of creation is the second member."""

_HELD_STATES = frozenset(map(JobState, HELD_STATES))
_REGISTERED_STATES = frozenset({JobState.REGISTERED})
FEW_STATES = (_HELD_STATES, _REGISTERED_STATES)
"""States that few jobs are in, however many wait."""


def driver(connection: Connection, query: JobQuery, estimate: Estimate) -> str:
    """Return the member through whose index the jobs are looked for."""
    if connection.dialect.name == POSTGRES:
        return ANY
    if query.id is not None:
        return "id"
    if query.session is not None:
        return "session"
    if query.states is not None and query.states <= _HELD_STATES:
        return HELD
    if query.states == _REGISTERED_STATES:
        return REGISTERED
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


def in_order(query: JobQuery, descending: bool, driver: str = ANY) -> tuple[ColumnElement[Any], ...]:
    """Return by what a list is sorted."""
    columns = (placed(query), jobs.c.number)
    if driver in FEW_IN_NO_ORDER:
        columns = tuple(hidden(column) for column in columns)
    return tuple(column.desc() for column in columns) if descending else columns


def placed(query: JobQuery) -> ColumnElement[Any]:
    """Return by what a list is in order."""
    return jobs.c.queued_at if by_submission(query) else jobs.c.created_at


def of(query: JobQuery, driver: str = ANY) -> list[ColumnElement[bool]]:
    """Return what a query asks of each job, as conditions; the database sees an index for that of the driver alone."""

    def column(name: str) -> Any:
        if driver == TEXT:
            return _hidden_from_all(jobs.c[name])
        free = driver in (ANY, name) or name in _FREE.get(driver, ())
        return jobs.c[name] if free else hidden(jobs.c[name])

    found: list[ColumnElement[bool]] = [
        column(name) == value
        for name in ("id", "account", "device", "api", "session", "instance")
        if (value := getattr(query, name)) is not None
    ]
    if driver == REGISTERED and query.account is None:
        found.append(jobs.c.account.in_(select(job_counts.c.account).where(job_counts.c.tag == ALL_TAGS)))
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
    return found + _times(query, column, column("created_at") if driver in FEW_IN_NO_ORDER else jobs.c.created_at)


def hidden(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column for which SQLite sees no index."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _hidden_from_all(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column for which PostgreSQL sees no index either: for it, only numbers have signs."""
    return column.concat("") if isinstance(column.type, Word) else hidden(column)


def has_text(columns: ReadOnlyColumnCollection[str, Any], text: str) -> ColumnElement[bool]:
    """Return the condition that a job has a text where it may be."""
    names = ("id", "name", "note") if may_be_of_id(text) else ("name", "note")
    escaped = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return or_(*(_Like(columns[name], bindparam(None, f"%{escaped}%", columns[name].type)) for name in names))


class _Like(FunctionElement[bool]):
    """Whether a column is like a pattern, in whatever case. `ilike` has SQLite write both in small letters first, of each row."""

    type = Boolean()
    inherit_cache = True


@compiles(_Like)
def _like(element: _Like, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = (compiler.process(each, **options) for each in element.clauses)
    how = "ILIKE" if compiler.dialect.name == POSTGRES else "LIKE"
    return f"({column} {how} {pattern} ESCAPE '/')"


def _in_states(query: JobQuery, column: Any, driver: str) -> list[ColumnElement[bool]]:
    """Return the conditions on the state. An index of some states serves where its own condition is named too."""
    states = query.states or frozenset()
    named = column == min(states) if len(states) == 1 else column.in_(sorted(states))
    if driver == HELD:
        return [IS_HELD, named]
    if states == _REGISTERED_STATES and driver in (REGISTERED, ANY):
        return [IS_PENDING, named, jobs.c.queued_at.is_(None)]
    if driver not in ("state", ANY):
        return [named, _no_newer_than_what_ended(states)] if driver in _IN_ORDER and states <= FINAL else [named]
    if states <= PENDING:
        return [IS_PENDING] if states == PENDING else [IS_PENDING, named]
    return [IS_ENDED, named] if states <= FINAL else [named]


def _no_newer_than_what_ended(states: frozenset[JobState]) -> ColumnElement[bool]:
    """Return a condition that all jobs of final states meet: it has SQLite pass over those that wait, which are the newest as a rule."""
    newest = (
        select(func.max(jobs.c.created_at).label("at")).where(IS_ENDED, jobs.c.state == state) for state in states
    )
    return jobs.c.created_at <= select(func.max(union_all(*newest).subquery().c.at)).scalar_subquery()


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
