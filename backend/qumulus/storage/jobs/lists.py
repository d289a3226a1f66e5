"""Lists of jobs: what a query asks for, page by page.

How many jobs match is counted by the database (see `counts`). A page is looked for through one index in the order of lists: that of the
member which the fewest jobs have in common. SQLite knows nothing about its rows and would choose blindly, so it is told: the other
members are written so that it sees no index for them. A text that few jobs may have gives their numbers at once (`database.texts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from qumulus.core.jobs import FINAL, PENDING
from qumulus.core.ports import JobQuery, Page
from qumulus.storage.database import texts
from qumulus.storage.database.counting import ALL_TAGS, job_counts, job_tags, signed
from qumulus.storage.database.tables import IS_ENDED, IS_PENDING, POSTGRES, jobs

from . import counts, rows
from .counts import Estimate

ID_CHARACTERS = frozenset("0123456789abcdef-")  # of the identifiers that are made here
ANY = "any"  # the driver of who leaves the choice to the database
FEW = 500  # jobs with a text that are read, and compared; more are looked for in the order of lists
NEWEST = 500  # jobs in which a text is looked for that is too short for the index
MOST_COUNTED = 1000  # jobs with a text; that there are more, a total doesn't say


def page(connection: Connection, query: JobQuery) -> Page:
    """Return the jobs of a page, and how many match in all."""
    estimate = counts.of(connection, query)
    if estimate.count == 0:
        return Page((), 0)
    known = _with_text(connection, query, estimate)
    if known is not None:
        return _of_known(connection, query, known)
    condition = and_(True, *conditions(query, driver(connection, query, estimate)))
    exact, total = estimate.exact, estimate.count
    if not exact and query.counted:
        total = count(connection, condition, None if query.text is None else MOST_COUNTED)
        exact = query.text is None or total < MOST_COUNTED
    offset, limit, descending = query.offset, query.limit, query.descending
    backwards = exact and total // 2 < offset < total
    if backwards:  # the last pages are nearer from the other end
        limit = min(limit, total - offset)
        offset, descending = total - offset - limit, not descending
    wanted = select(*rows.JOB_COLUMNS).where(condition).order_by(*_order(query, descending))
    found = [rows.to_job(row) for row in connection.execute(wanted.offset(offset).limit(limit))]
    return Page(tuple(found[::-1] if backwards else found), max(total, query.offset + len(found)) if found else total)


def count(connection: Connection, condition: ColumnElement[bool], most: int | None = None) -> int:
    """Return how many jobs match, at most so many."""
    matching = select(jobs.c.number).where(condition).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(matching)).scalar_one()


def _order(query: JobQuery, descending: bool) -> tuple[ColumnElement[Any], ...]:
    columns = (jobs.c.queued_at if _by_submission(query) else jobs.c.created_at, jobs.c.number)
    return tuple(column.desc() for column in columns) if descending else columns


def _with_text(connection: Connection, query: JobQuery, estimate: Estimate) -> Sequence[int] | None:
    """Return the numbers of all jobs that may have the text that is asked for; None where each has to be looked at."""
    if query.text is None or estimate.count <= FEW:
        return None
    if len(query.text) >= texts.GRAM:
        return texts.numbers(connection, query.text, FEW)
    others = replace(query, text=None)
    condition = and_(True, *conditions(others, driver(connection, others, estimate)))
    newest = select(jobs.c.number).where(condition).order_by(*_order(query, descending=True)).limit(NEWEST)
    return connection.execute(newest).scalars().all()


def _of_known(connection: Connection, query: JobQuery, known: Sequence[int]) -> Page:
    """Return a page of those of some jobs that match. They are sorted here: for so few no database chooses a wrong index."""
    condition = and_(jobs.c.number.in_(known), *conditions(query, through_number(connection)))
    matching = connection.execute(select(*_order(query, descending=False)).where(condition))
    places = sorted(matching, key=tuple, reverse=query.descending)
    numbers = [place[1] for place in places[query.offset : query.offset + query.limit]]
    wanted = select(*rows.JOB_COLUMNS).where(jobs.c.number.in_(numbers)).order_by(*_order(query, query.descending))
    return Page(tuple(rows.to_job(row) for row in connection.execute(wanted)), len(places))


def driver(connection: Connection, query: JobQuery, estimate: Estimate) -> str:
    """Return the member through whose index the jobs are looked for."""
    if connection.dialect.name == POSTGRES:
        return ANY
    if query.id is not None:
        return "id"
    if query.session is not None:
        return "session"
    if _by_submission(query):
        return "submitted"
    return estimate.driver or "created_at"


def through_number(connection: Connection) -> str:
    """Return the driver of who knows which jobs it can be."""
    return ANY if connection.dialect.name == POSTGRES else "number"


def _by_submission(query: JobQuery) -> bool:
    """Whether a list is in the order in which jobs were submitted, because it asks for a time of that: the same index serves both."""
    return query.account is not None and (query.queued_after or query.queued_before) is not None


def may_be_of_id(text: str) -> bool:
    """Whether a text can be a part of an identifier as they are made here."""
    return ID_CHARACTERS.issuperset(text.lower())


def tags(connection: Connection, account: str, prefix: str) -> tuple[str, ...]:
    """Return the tags of an account's jobs that begin so."""
    found = _tags(connection, account, job_counts.c.tag.startswith(signed(prefix), autoescape=True))
    return tuple(tag for tag in found if tag.startswith(prefix))


def tags_with(connection: Connection, account: str, text: str) -> tuple[str, ...]:
    """Return the tags of an account's jobs that have a text; they are fewer than the jobs."""
    return _tags(connection, account, func.substr(job_counts.c.tag, 2).icontains(text, autoescape=True))


def _tags(connection: Connection, account: str, condition: ColumnElement[bool]) -> tuple[str, ...]:
    mine = (job_counts.c.account == account) & (job_counts.c.tag != ALL_TAGS)
    counted = select(job_counts.c.tag).where(mine, condition).group_by(job_counts.c.tag)
    found = connection.execute(counted.having(func.sum(job_counts.c["count"]) > 0)).scalars()
    return tuple(sorted(tag[1:] for tag in found))


def conditions(query: JobQuery, driver: str = ANY) -> list[ColumnElement[bool]]:
    """Return what a query asks of each job, as conditions; SQLite sees an index for that of the driver alone."""

    def column(name: str) -> Any:
        free = driver in (ANY, name) or (driver == "submitted" and name in ("account", "queued_at"))
        return jobs.c[name] if free else UnaryExpression(jobs.c[name], operator=custom_op("+"), type_=jobs.c[name].type)

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
        names = ("id", "name", "note") if may_be_of_id(query.text) else ("name", "note")
        found.append(or_(*(jobs.c[name].icontains(query.text, autoescape=True) for name in names)))
    return found + _times(query, column)


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


def _times(query: JobQuery, column: Callable[[str], Any]) -> list[ColumnElement[bool]]:
    created = jobs.c.created_at  # the second member of every index in the order of lists
    bounds: list[tuple[datetime | None, Callable[[Any], ColumnElement[bool]]]] = [
        (query.created_after, lambda at: created >= at),
        (query.created_before, lambda at: created <= at),
        (query.queued_after, lambda at: column("queued_at") >= at),
        (query.queued_before, lambda at: column("queued_at") <= at),
    ]
    return [condition(at) for at, condition in bounds if at is not None]
