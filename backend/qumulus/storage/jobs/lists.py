"""Lists of jobs: what a query asks for, page by page.

How many jobs match is counted by the database (see `counts`). A page is looked for through one index in the order of lists: that of the
member which the fewest jobs have in common (see `conditions`). A text that few jobs may have gives their numbers at once
(`database.texts`); one that many of the first jobs of a list have is found among these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Subquery, and_, func, select
from sqlalchemy.sql.selectable import TextualSelect

from qumulus.core.jobs import Job, JobState
from qumulus.core.ports import JobQuery, Page
from qumulus.storage.database import texts
from qumulus.storage.database.columns import POSTGRES
from qumulus.storage.database.counting import ALL_TAGS, job_counts, signed
from qumulus.storage.database.tables import AnyRow, jobs

from . import conditions, counts, rows
from .counts import Estimate

FEW = 500  # jobs of which each is compared with a text, without an index
NEWEST = 500  # jobs in which a text is looked for that is too short for the index
MOST_COUNTED = 1000  # jobs with a text; that there are more, a total doesn't say
SAMPLE, OFTEN = 100, 25  # of so many jobs at the begin of a list, how many have a text that many have
LOOKED_THROUGH = 4000  # jobs at the begin of a list in which a text is looked for that many have
LOOKED_AT_PERCENT = 0.1  # of all jobs, to see whether most have a text
LOOKED_UP = 2000  # jobs that may have a text, by its index, that are compared
LISTED = 10_000  # jobs that may have it which are listed, to be compared with a list of few

_NOTHING = {each.name: each.default for each in fields(JobQuery)}
"""What a query has where it does not ask for something, by the member."""

_JOBS = select(*rows.JOB_COLUMNS)


def page(connection: Connection, query: JobQuery) -> Page:
    """Return the jobs of a page, and how many match in all."""
    estimate = counts.of(connection, query)
    if estimate.count == 0:
        return Page((), 0)
    searched = _searched(connection, query, estimate)
    if searched is not None:
        return searched
    exact, total, through = estimate.exact, estimate.count, conditions.driver(connection, query, estimate)
    if estimate.besides and JobState.QUEUED not in estimate.besides:
        besides = sum(_count_in(connection, query, estimate, states) for states in conditions.FEW_STATES)
        total, exact = max(0, total - besides), True  # at the same moment they are never more
    elif not exact and query.counted:
        counted = and_(True, *conditions.of(_rest(query, estimate), through))
        total = count(connection, counted, None if query.text is None else MOST_COUNTED)
        exact = query.text is None or total < MOST_COUNTED
    return _in_order(connection, query, through, total, exact=exact)


def _rest(query: JobQuery, estimate: Estimate) -> JobQuery:
    """Return what has to be asked of each job of a driver to count those that match.

    A page asks for everything: what was stored since the estimate must not be shown to whom it does not belong.
    """
    if query.id is not None or query.session is not None or query.tags or conditions.by_submission(query):
        return query
    return replace(query, **{name: _NOTHING[name] for name in estimate.implied})


def _in_order(connection: Connection, query: JobQuery, through: str, total: int, *, exact: bool) -> Page:
    """Return a page by looking at each job that matches, from the begin of the list or from its end."""
    offset, limit, descending = query.offset, query.limit, query.descending
    backwards = exact and total // 2 < offset < total
    if backwards:  # the last pages are nearer from the other end
        limit = min(limit, total - offset)
        offset, descending = total - offset - limit, not descending
    wanted = _JOBS.where(*conditions.of(query, through)).order_by(*conditions.in_order(query, descending, through))
    found = [rows.to_job(row) for row in connection.execute(wanted.offset(offset).limit(limit))]
    return _page(query, found[::-1] if backwards else found, total)


def _page(query: JobQuery, found: Sequence[Job], total: int) -> Page:
    """Return a page of a list that is known to have so many."""
    return Page(tuple(found), max(total, query.offset + len(found)) if found else total)


def _count_in(connection: Connection, query: JobQuery, estimate: Estimate, states: frozenset[JobState]) -> int:
    """Return how many of the jobs that an estimate counts besides are in some states."""
    others = replace(query, states=states & estimate.besides)
    through = conditions.driver(connection, others, estimate)
    return count(connection, and_(True, *conditions.of(others, through))) if others.states else 0


def count(connection: Connection, condition: ColumnElement[bool], most: int | None = None) -> int:
    """Return how many jobs match, at most so many."""
    matching = select(jobs.c.number).where(condition).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(matching)).scalar_one()


def _searched(connection: Connection, query: JobQuery, estimate: Estimate) -> Page | None:
    """Return a page of those with the text that is asked for; None where each job that matches otherwise has to be compared."""
    if query.text is None or estimate.count <= FEW:
        return None
    if len(query.text) < texts.GRAM:
        newest = _first(connection, query, estimate, NEWEST, descending=True)
        return _of_hits(connection, query, select(*_place(newest)).where(conditions.has_text(newest.c, query.text)))
    often, most = _seen(connection, query, estimate)
    page = _of_often(connection, query, estimate) if often else None
    if page is not None:
        return page
    if connection.dialect.name == POSTGRES:  # to be told how many its index names costs as much as to compare them
        return None if most else _of_named(connection, query, estimate)
    listed = texts.candidates(connection, query.text, LISTED + 1)
    if listed is None:
        return None
    named = listed.cte("candidates")
    candidates = connection.execute(select(func.count()).select_from(named)).scalar_one()
    if candidates == 0:
        return Page((), 0)
    if candidates <= LOOKED_UP:
        return _of_numbers(connection, query, listed, conditions.through_number(connection))
    if estimate.count > LOOKED_THROUGH:
        return _of_many(connection, query, estimate)
    if candidates <= LISTED:
        return _of_numbers(connection, query, listed, conditions.driver(connection, query, estimate))
    first = _first(connection, query, estimate, LOOKED_THROUGH, descending=query.descending)
    return _of_hits(connection, query, select(*_place(first)).where(conditions.has_text(first.c, query.text)))


def _of_numbers(connection: Connection, query: JobQuery, listed: TextualSelect, through: str) -> Page:
    """Return a page of those with a text among some jobs, each of which is compared, or of those of them that a driver has."""
    number = conditions.hidden(jobs.c.number) if through not in (conditions.ANY, "number") else jobs.c.number
    are_listed = number.in_(select(listed.cte("candidates").c.number))
    wanted = select(conditions.placed(query).label("place"), jobs.c.number).where(
        are_listed, *conditions.of(query, through)
    )
    return _of_hits(connection, query, wanted)


def _seen(connection: Connection, query: JobQuery, estimate: Estimate) -> tuple[bool, bool]:
    """Whether many of the first jobs of a list have a text; and on PostgreSQL, whether most of all jobs have it.

    PostgreSQL reads all that its index names: where those are most jobs, some are found sooner without it.
    """
    first = _first(connection, query, estimate, SAMPLE, descending=query.descending)
    having = select(func.count()).select_from(first).where(conditions.has_text(first.c, query.text or ""))
    asked = [having.scalar_subquery()]
    if connection.dialect.name == POSTGRES:
        some = jobs.tablesample(func.system(LOOKED_AT_PERCENT), name="some")
        have = func.count().filter(conditions.has_text(some.c, query.text or ""))
        asked.append(select(have * 3 > func.count()).select_from(some).scalar_subquery())
    count, *most = connection.execute(select(*asked)).one()
    return count >= OFTEN, any(most)


def _of_often(connection: Connection, query: JobQuery, estimate: Estimate) -> Page | None:
    """Return a page of a list of which many of the first jobs have a text; None where they may be fewer than are counted."""
    most, descending = _most(query), query.descending
    if most > LOOKED_THROUGH:
        return None
    first = _first(connection, query, estimate, LOOKED_THROUGH, descending=descending)
    hits = select(*_place(first)).where(conditions.has_text(first.c, query.text or "")).limit(most)
    if connection.dialect.name == POSTGRES:  # they are in order; SQLite would sort them all before it takes the first
        hits = hits.order_by(*(column.desc() if descending else column for column in _place(first)))
    found, total = _hits(connection, query, hits)
    return _page(query, found, total) if total == most else None


def _of_named(connection: Connection, query: JobQuery, estimate: Estimate) -> Page:
    """Return a page of jobs with a text of which PostgreSQL compares all that its index names.

    It has no idea how many those are, and takes them for one of two hundred. So it may read another index beside that of texts only
    where that gives few jobs.
    """
    through = conditions.ANY if estimate.count <= LOOKED_THROUGH else conditions.TEXT
    index, are_named, _ = texts.named(connection, query.text or "")
    matching = select(conditions.placed(query).label("place"), jobs.c.number).select_from(index).where(are_named)
    matching = matching.where(*conditions.of(query, through)).order_by(*conditions.in_order(query, query.descending))
    return _of_hits(connection, query, matching.limit(_most(query)))


def _of_many(connection: Connection, query: JobQuery, estimate: Estimate) -> Page | None:
    """Return a page of jobs with a text of which SQLite's index names many, and of which few are among the first of the list.

    They are taken by their numbers until they are enough, and each other job is looked at where those may not be the first of the list,
    as after a clock was set back. None where the list is in another order.
    """
    if conditions.by_submission(query):
        return None
    most = _most(query)
    index, are_named, number = texts.named(connection, query.text or "")
    matching = select(conditions.placed(query), jobs.c.number).select_from(index).where(are_named)
    matching = matching.where(*conditions.of(query, conditions.through_number(connection))).limit(most)
    hits = connection.execute(matching.order_by(number.desc() if query.descending else number)).all()
    if len(hits) == most and not _are_first(connection, query, hits):
        return _in_order(connection, query, conditions.driver(connection, query, estimate), MOST_COUNTED, exact=False)
    last = query.offset + query.limit
    shown = [number for _, number in sorted(map(tuple, hits), reverse=query.descending)[query.offset : last]]
    its = _JOBS.where(jobs.c.number.in_(shown)).order_by(*conditions.in_order(query, query.descending))
    found = tuple(rows.to_job(row) for row in connection.execute(its)) if shown else ()
    return _page(query, found, min(len(hits), MOST_COUNTED))


def _most(query: JobQuery) -> int:
    """Return how many jobs with a text are needed at most for a page and its total."""
    wanted = query.offset + query.limit
    return max(wanted, MOST_COUNTED) if query.counted else wanted


def _are_first(connection: Connection, query: JobQuery, hits: Sequence[AnyRow]) -> bool:
    """Whether no job that comes after some by its number belongs before the last that is wanted of them."""
    last = sorted((place for place, _ in hits), reverse=query.descending)[query.offset + query.limit - 1]
    number = conditions.hidden(jobs.c.number)  # else all jobs beyond would be sorted
    beyond = number < hits[-1].number if query.descending else number > hits[-1].number
    ahead = select(jobs.c.created_at).where(beyond).order_by(*conditions.in_order(query, query.descending)).limit(1)
    first = connection.execute(ahead).scalar()
    return first is None or (first <= last if query.descending else first >= last)


def _first(connection: Connection, query: JobQuery, estimate: Estimate, count: int, *, descending: bool) -> Subquery:
    """Return so many of the jobs that match but for the text, in the order of lists: their places, and where a text may be."""
    others = replace(query, text=None)
    through = conditions.driver(connection, others, estimate)
    columns = (conditions.placed(query).label("place"), jobs.c.number, jobs.c.id, jobs.c.name, jobs.c.note)
    first = select(*columns).where(*conditions.of(others, through))
    return first.order_by(*conditions.in_order(query, descending, through)).limit(count).subquery()


def _place(of: FromClause) -> tuple[ColumnElement[Any], ...]:
    return (of.c.place, of.c.number)


def _of_hits(connection: Connection, query: JobQuery, hits: Select[*tuple[Any, ...]]) -> Page:
    """Return a page of some jobs that have a text, of which `_place` is selected."""
    found, total = _hits(connection, query, hits)
    return _page(query, found, min(total, MOST_COUNTED))


def _hits(connection: Connection, query: JobQuery, matching: Select[*tuple[Any, ...]]) -> tuple[tuple[Job, ...], int]:
    """Return the jobs of a page of some, and how many those are."""
    hits = matching.cte("hits")
    order = (column.desc() if query.descending else column for column in _place(hits))
    shown = select(hits.c.number).order_by(*order).offset(query.offset).limit(query.limit)
    totals = select(select(func.count()).select_from(hits).scalar_subquery()).subquery()
    beside = totals.outerjoin(jobs, jobs.c.number.in_(shown))  # one row at least, with the total
    wanted = _JOBS.add_columns(*totals.c).select_from(beside).order_by(*conditions.in_order(query, query.descending))
    found = connection.execute(wanted).all()
    return tuple(rows.to_job(row[:-1]) for row in found if row[0] is not None), found[0][-1]


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
