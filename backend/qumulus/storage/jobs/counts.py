"""How many jobs a query matches, by the counts that the database keeps, and through which index to look for them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from qumulus.core.jobs import FINAL, PENDING, JobState
from qumulus.core.ports import JobQuery
from qumulus.storage.database.counting import ALL_TAGS, PENDING_STATE, job_counts, signed

ORDERED = ("account", "device", "api", "instance", "kind", "state")
"""The members of a job that have an index in the order of lists, the usual one first."""

_MEMBERS = {name: name for name in ("account", "device", "api", "instance", "alone")} | {
    "devices": "without_devices",
    "kind": "kinds",
    "state": "states",
}
"""What a query asks, by the member of a job that is counted."""

FEW = 500  # jobs of a tag that are sorted; among more, those of a page are found soon in the order of lists


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many jobs match: exactly, or at most where the query asks what is not counted.

    ``driver`` names the index to look through. What is ``implied`` all jobs there had a moment ago: for a count, nobody needs to ask
    each for it. ``besides`` are states that are not asked for: with the jobs that are in these, it is exact.
    """

    count: int
    exact: bool
    driver: str | None
    implied: frozenset[str] = frozenset()
    besides: frozenset[JobState] = frozenset()


def of(connection: Connection, query: JobQuery, more: ColumnElement[bool] | None = None) -> Estimate:
    """Return how many jobs match a query, and ``more`` on `job_counts`, in a moment, however many there are."""
    asked = _asked(query) | ({} if more is None else {"more": more})
    columns = [_sum(and_(True, *asked.values()))]
    drivers = [name for name in ORDERED if name in asked and _drives(name, query)]
    columns += [_sum(asked[name]) for name in drivers]
    count, *each = map(int, connection.execute(select(*columns).where(job_counts.c.tag == ALL_TAGS)).one())
    tagged = [_tagged(connection, tag, asked) for tag in query.tags]
    count = min([count, *(matching for matching, _ in tagged)])
    found = dict(zip(drivers, each, strict=True))
    if tagged and (fewest := min(of for _, of in tagged)) <= FEW:
        found["tags"] = fewest
    driver = min(found, key=lambda name: found[name], default=None)
    alike = driver is not None and count == found[driver] and more is None
    besides = PENDING - _pending(query) if _is_lumped(query) else frozenset()
    implied = _implied(query, asked, driver) if alike else frozenset()
    countable = _countable(query)
    return Estimate(count, countable and not besides, driver, implied, besides if countable else frozenset())


def _implied(query: JobQuery, asked: dict[str, ColumnElement[bool]], driver: str | None) -> frozenset[str]:
    """Return which members of a query all jobs of a driver have, where as many match as it has: those that are counted as they are asked."""
    lumped = {"state"} if _is_lumped(query) else set()
    return frozenset(_MEMBERS[name] for name in asked.keys() - {driver} - lumped)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, job_counts.c["count"]), else_=0)), 0)


def _tagged(connection: Connection, tag: str, asked: dict[str, ColumnElement[bool]]) -> tuple[int, int]:
    """Return how many jobs match that have a tag, and how many of the account have it."""
    its = job_counts.c.tag == signed(tag)
    account = asked.get("account", its)
    matching, every = connection.execute(select(_sum(and_(True, *asked.values())), _sum(account)).where(its)).one()
    return int(matching), int(every)


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
    """Whether everything that a query asks is counted, but for what `_is_lumped` says."""
    bounds = (query.created_after, query.created_before, query.queued_after, query.queued_before)
    others = (query.id, query.session, query.text, *bounds)
    return all(each is None for each in others) and len(query.tags) <= 1


def _is_lumped(query: JobQuery) -> bool:
    """Whether a query asks for some of the states that are counted together, and not for all."""
    return _pending(query) not in (frozenset(), PENDING)


def _pending(query: JobQuery) -> frozenset[JobState]:
    """Return the states of a query that are counted together."""
    return (query.states or frozenset()) & PENDING
