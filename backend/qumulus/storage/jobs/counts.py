"""How many jobs a query matches, by the counts that the database keeps, and through which index to look for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from qumulus.core.jobs import FINAL, PENDING, JobState
from qumulus.core.ports import JobQuery
from qumulus.storage.database.counting import ALL_TAGS, PENDING_STATE, job_counts, signed

ORDERED = ("account", "device", "api", "instance", "kind", "state")
"""The members of a job that have an index in the order of lists, the usual one first."""

FEW = 500  # jobs of a tag that are sorted; among more, those of a page are found soon in the order of lists


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many jobs match: exactly, or at most where the query asks what is not counted. ``driver`` names the index to look through."""

    count: int
    exact: bool
    driver: str | None


def of(connection: Connection, query: JobQuery, more: ColumnElement[bool] | None = None) -> Estimate:
    """Return how many jobs match a query, and ``more`` on `job_counts`, in a moment, however many there are."""
    asked = _asked(query) | ({} if more is None else {"more": more})
    columns = [_sum(and_(True, *asked.values()))]
    drivers = [name for name in ORDERED if name in asked and _drives(name, query)]
    columns += [_sum(asked[name]) for name in drivers]
    count, *each = connection.execute(select(*columns).where(job_counts.c.tag == ALL_TAGS)).one()
    tagged = [_tagged(connection, tag, asked) for tag in query.tags]
    count = min([count, *(matching for matching, _ in tagged)])
    found = dict(zip(drivers, each, strict=True))
    if tagged and (fewest := min(of for _, of in tagged)) <= FEW:
        found["tags"] = fewest
    return Estimate(count, _countable(query), min(found, key=lambda name: found[name], default=None))


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, job_counts.c["count"]), else_=0)), 0)


def _tagged(connection: Connection, tag: str, asked: dict[str, ColumnElement[bool]]) -> tuple[int, int]:
    """Return how many jobs match that have a tag, and how many of the account have it."""
    its = job_counts.c.tag == signed(tag)
    account = asked.get("account", its)
    matching, every = connection.execute(select(_sum(and_(True, *asked.values())), _sum(account)).where(its)).one()
    return matching, every


def _asked(query: JobQuery) -> dict[str, ColumnElement[bool]]:
    """Return the conditions of a query on what is counted, by the member of a job."""
    column, found = job_counts.c, dict[str, ColumnElement[bool]]()
    for name in ("account", "device", "api", "instance"):
        if (value := getattr(query, name)) is not None:
            found[name] = column[name] == value
    if query.without_devices:
        found["devices"] = column.device.not_in(sorted(query.without_devices))
    if query.kinds is not None:
        found["kind"] = column.kind.in_(sorted(query.kinds))
    if query.alone:
        found["alone"] = column.alone
    if query.states is not None:
        found["state"] = column.state.in_(sorted(_counted_as(query.states)))
    return found


def _counted_as(states: frozenset[JobState]) -> set[str]:
    """Return what jobs of some states are counted as."""
    return {state.value if state in FINAL else PENDING_STATE for state in states}


def _drives(name: str, query: JobQuery) -> bool:
    """Whether the index of a member gives the jobs of a query in order: those of several values stand in several places."""
    if name == "kind":
        return query.kinds is not None and len(query.kinds) == 1
    if name == "state":
        return query.states is not None and (len(query.states) == 1 or query.states <= PENDING)
    return True


def _countable(query: JobQuery) -> bool:
    """Whether everything that a query asks is counted."""
    bounds = (query.created_after, query.created_before, query.queued_after, query.queued_before)
    others = (query.id, query.session, query.text, *bounds)
    pending = (query.states or frozenset()) & PENDING
    return all(each is None for each in others) and len(query.tags) <= 1 and pending in (frozenset(), PENDING)
